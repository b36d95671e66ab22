DROP TABLE messages;
DROP TABLE attempts;
DROP TABLE claims;
DROP TABLE counts;
