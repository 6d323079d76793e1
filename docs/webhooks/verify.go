// Verify a webhook of Parlance with Go's standard library alone.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const tolerance = 5 * time.Minute // an older message may be a copy that somebody kept

// Verify tells whether Parlance signed this raw body just now, with any of the secrets.
func Verify(body []byte, headers http.Header, secrets []string) (bool, error) {
	id, timestamp := headers.Get("webhook-id"), headers.Get("webhook-timestamp")
	seconds, err := strconv.ParseUint(timestamp, 10, 40)
	if err != nil || time.Since(time.Unix(int64(seconds), 0)).Abs() > tolerance {
		return false, nil
	}
	signed := append([]byte(id+"."+timestamp+"."), body...)
	verified := false
	for _, secret := range secrets {
		ours, err := signature(signed, secret)
		if err != nil {
			return false, err
		}
		for _, theirs := range strings.Split(headers.Get("webhook-signature"), " ") {
			verified = hmac.Equal(ours, []byte(theirs)) || verified
		}
	}
	return verified, nil
}

// signature returns what the header must hold for this secret.
func signature(signed []byte, secret string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) < 24 {
		return nil, errors.New("a secret is whsec_ and the base64 of at least 24 bytes")
	}
	digest := hmac.New(sha256.New, key)
	digest.Write(signed)
	return []byte("v1," + base64.StdEncoding.EncodeToString(digest.Sum(nil))), nil
}

// As a CGI script: headers in the environment, the body on standard input.
func main() {
	headers := http.Header{}
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		headers.Set(name, os.Getenv("HTTP_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))))
	}
	body, err := io.ReadAll(os.Stdin)
	verified := false
	if err == nil {
		verified, err = Verify(body, headers, strings.Fields(os.Getenv("WEBHOOK_SECRETS")))
	}
	if err != nil || !verified {
		fmt.Println("refused")
		os.Exit(1)
	}
	fmt.Println("verified")
}
