// Verify the asymmetric signature (v1a) of a webhook of Parlance with Node.js alone (18 or newer).
"use strict";
const crypto = require("node:crypto");
const fs = require("node:fs");

const TOLERANCE_S = 300; // an older message may be a copy that somebody kept

/** Tells whether Parlance signed this raw body (a Buffer) just now; `keySet` is the JSON of the endpoint's key URL. */
function verify(body, headers, keySet) {
  const { "webhook-id": id = "", "webhook-timestamp": timestamp = "", "webhook-signature": given = "" } = headers;
  if (!/^[0-9]{1,12}$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_S) return false;
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  const keys = keySet.keys.filter((key) => key.crv === "Ed25519");
  const theirs = given.split(" ").filter((each) => each.startsWith("v1a,"));
  return keys.some((key) => {
    const publicKey = crypto.createPublicKey({ key, format: "jwk" });
    return theirs.some((each) => crypto.verify(null, signed, publicKey, Buffer.from(each.slice(4), "base64")));
  });
}

module.exports = { verify };

// As a CGI script: headers in the environment, the body on standard input.
if (require.main === module) {
  const names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
  const variable = (name) => "HTTP_" + name.toUpperCase().replaceAll("-", "_");
  const headers = Object.fromEntries(names.map((name) => [name, process.env[variable(name)] ?? ""]));
  const verified = verify(fs.readFileSync(0), headers, JSON.parse(process.env.WEBHOOK_KEYS));
  console.log(verified ? "verified" : "refused");
  process.exitCode = verified ? 0 : 1;
}
