# Verify a webhook of Parlance with Ruby's standard library alone (3.0 or newer).
require "openssl"

TOLERANCE_S = 300 # an older message may be a copy that somebody kept

# Tells whether Parlance signed this raw body just now, with any of the secrets; header names in lower case.
def verify(body, headers, secrets)
  id, timestamp, given = headers.values_at("webhook-id", "webhook-timestamp", "webhook-signature").map(&:to_s)
  return false unless timestamp.match?(/\A[0-9]{1,12}\z/) && (Time.now.to_i - timestamp.to_i).abs <= TOLERANCE_S

  signed = "#{id}.#{timestamp}.".b + body.b
  expected = secrets.map { |secret| signature(signed, secret) }
  expected.product(given.split(" ")).any? do |ours, theirs|
    ours.bytesize == theirs.bytesize && OpenSSL.fixed_length_secure_compare(ours, theirs)
  end
end

# What the header must hold for this secret.
def signature(signed, secret)
  key = secret.delete_prefix("whsec_").unpack1("m0")
  raise ArgumentError, "a secret is whsec_ and the base64 of at least 24 bytes" if key.bytesize < 24

  "v1," + [OpenSSL::HMAC.digest("SHA256", key, signed)].pack("m0")
end

# As a CGI script: headers in the environment, the body on standard input.
if $PROGRAM_NAME == __FILE__
  names = %w[webhook-id webhook-timestamp webhook-signature]
  headers = names.to_h { |name| [name, ENV.fetch("HTTP_#{name.upcase.tr("-", "_")}", "")] }
  abort "refused" unless verify($stdin.binmode.read, headers, ENV.fetch("WEBHOOK_SECRETS").split)
  puts "verified"
end
