<?php
// Verify a webhook of Parlance with PHP alone (8.0 or newer).
declare(strict_types=1);

const TOLERANCE_S = 300; // an older message may be a copy that somebody kept

/** Tells whether Parlance signed this raw body just now, with any of the secrets; header names in lower case. */
function verify(string $body, array $headers, array $secrets): bool
{
    $timestamp = $headers['webhook-timestamp'] ?? '';
    if (!preg_match('/^[0-9]{1,12}$/D', $timestamp) || abs(time() - (int) $timestamp) > TOLERANCE_S) {
        return false;
    }
    $signed = ($headers['webhook-id'] ?? '') . '.' . $timestamp . '.' . $body;
    $verified = false;
    foreach ($secrets as $secret) {
        $ours = signature($signed, $secret);
        foreach (explode(' ', $headers['webhook-signature'] ?? '') as $theirs) {
            $verified = hash_equals($ours, $theirs) || $verified;
        }
    }
    return $verified;
}

/** What the header must hold for this secret. */
function signature(string $signed, string $secret): string
{
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
    if ($key === false || strlen($key) < 24) {
        throw new InvalidArgumentException('a secret is whsec_ and the base64 of at least 24 bytes');
    }
    return 'v1,' . base64_encode(hash_hmac('sha256', $signed, $key, true));
}

// As a CGI script: headers in the environment, the body on standard input (in a web server: php://input).
if (realpath($_SERVER['SCRIPT_FILENAME']) === __FILE__) {
    $headers = [];
    foreach (['webhook-id', 'webhook-timestamp', 'webhook-signature'] as $name) {
        $headers[$name] = (string) getenv('HTTP_' . strtoupper(strtr($name, '-', '_')));
    }
    $secrets = preg_split('/\s+/', (string) getenv('WEBHOOK_SECRETS'), -1, PREG_SPLIT_NO_EMPTY);
    $verified = verify(file_get_contents('php://stdin'), $headers, $secrets);
    echo $verified ? "verified\n" : "refused\n";
    exit($verified ? 0 : 1);
}
