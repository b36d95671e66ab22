// Verifies, with the reference library, what a provider received. Throws when the signature is not
// good.
//
// usage: node verify_webhook.mjs SECRET BODY HEADERS      where node_modules is; HEADERS is JSON

import { createRequire } from "node:module";

const { Webhook } = createRequire(`${process.cwd()}/`)("standardwebhooks");

const [secret, body, headers] = process.argv.slice(2);
console.log(JSON.stringify(new Webhook(secret).verify(body, JSON.parse(headers))));
