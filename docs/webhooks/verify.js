// Verify a webhook of Parlance with Node.js alone (18 or newer).
"use strict";
const crypto = require("node:crypto");
const fs = require("node:fs");

const TOLERANCE_S = 300; // an older message may be a copy that somebody kept

/** Tells whether Parlance signed this raw body (a Buffer) just now; `headers` as in `request.headers`. */
function verify(body, headers, secrets) {
  const { "webhook-id": id = "", "webhook-timestamp": timestamp = "", "webhook-signature": given = "" } = headers;
  if (!/^[0-9]{1,12}$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_S) return false;
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  const expected = secrets.map((secret) => signature(signed, secret));
  const theirs = given.split(" ").map((each) => Buffer.from(each));
  return expected.some((ours) =>
    theirs.some((each) => each.length === ours.length && crypto.timingSafeEqual(each, ours)),
  );
}

/** What the header must hold for this secret. */
function signature(signed, secret) {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  if (key.length < 24) throw new Error("a secret is whsec_ and the base64 of at least 24 bytes");
  return Buffer.from("v1," + crypto.createHmac("sha256", key).update(signed).digest("base64"));
}

module.exports = { verify };

// As a CGI script: headers in the environment, the body on standard input.
if (require.main === module) {
  const names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
  const variable = (name) => "HTTP_" + name.toUpperCase().replaceAll("-", "_");
  const headers = Object.fromEntries(names.map((name) => [name, process.env[variable(name)] ?? ""]));
  const secrets = process.env.WEBHOOK_SECRETS.split(/\s+/).filter(Boolean);
  const verified = verify(fs.readFileSync(0), headers, secrets);
  console.log(verified ? "verified" : "refused");
  process.exitCode = verified ? 0 : 1;
}
