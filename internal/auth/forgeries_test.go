package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"crmgraph/internal/auth"
	"crmgraph/internal/auth/authtest"
)

func structureForgeries() map[string]forgery {
	return map[string]forgery{
		"an empty token":         edited(func(_, _, _ string) string { return "" }),
		"words":                  edited(func(_, _, _ string) string { return "open sesame" }),
		"dots only":              edited(func(_, _, _ string) string { return ".." }),
		"one segment":            edited(func(h, _, _ string) string { return h }),
		"two segments":           edited(func(h, p, _ string) string { return h + "." + p }),
		"four segments":          edited(func(h, p, s string) string { return h + "." + p + "." + s + "." + s }),
		"five segments":          edited(func(h, p, s string) string { return h + ".." + p + "." + s + "." + s }),
		"a trailing dot":         edited(func(h, p, s string) string { return h + "." + p + "." + s + "." }),
		"no header":              edited(func(_, p, s string) string { return "." + p + "." + s }),
		"no payload":             edited(func(h, _, s string) string { return h + ".." + s }),
		"segments exchanged":     edited(func(h, p, s string) string { return p + "." + h + "." + s }),
		"base64 padding":         edited(func(h, p, s string) string { return h + "." + p + "." + s + "==" }),
		"letters outside base64": edited(func(h, p, s string) string { return h + "." + p + ".*" + s[1:] }),
		"a space inside":         edited(func(h, p, s string) string { return h + ". " + p + "." + s }),
		"a line break inside":    edited(func(h, p, s string) string { return h + ".\n" + p + "." + s }),
		"a NUL inside":           edited(func(h, p, s string) string { return h + ".\x00" + p + "." + s }),
		"two tokens and a comma": edited(func(h, p, s string) string {
			return h + "." + p + "." + s + "," + h + "." + p + "." + s
		}),
		"a header that is no JSON": headed("{alg"),
		"a header that is a list":  headed("[]"),
		"a header that is null":    headed("null"),
		"JSON serialisation": edited(func(h, p, s string) string {
			return `{"protected":"` + h + `","payload":"` + p + `","signature":"` + s + `"}`
		}),
		"a payload that is no JSON":  with(payload("ana of demo")),
		"a payload that is null":     with(payload("null")),
		"a payload that is a list":   with(payload(`[{"sub":"ana"}]`)),
		"a payload that is a number": with(payload("1")),
		"a huge token": with(func(t *testing.T, f *forger) string {
			t.Helper()
			return f.token(t, map[string]any{"note": strings.Repeat("x", 16<<10)})
		}),
		"a deeply nested header": with(func(t *testing.T, _ *forger) string {
			t.Helper()
			nested := `{"kid":` + strings.Repeat("[", 8000)
			return encode([]byte(nested)) + ".e30." + encode([]byte("signature"))
		}),
	}
}

// headed exchanges the header of a good token for any text.
func headed(text string) forgery {
	return edited(func(_, p, s string) string { return encode([]byte(text)) + "." + p + "." + s })
}

// payload signs any text as the payload.
func payload(text string) func(t *testing.T, f *forger) string {
	return func(t *testing.T, f *forger) string {
		t.Helper()
		return f.key.Sign(t, []byte(text), nil)
	}
}

func algorithmForgeries() map[string]forgery {
	none := func(*testing.T, *forger, string) []byte { return nil }
	return map[string]forgery{
		"alg none, no signature":         raw(`{"alg":"none","kid":"key-1"}`, none),
		"alg None":                       raw(`{"alg":"None","kid":"key-1"}`, none),
		"alg NONE with a signature":      raw(`{"alg":"NONE","kid":"key-1"}`, signES256),
		"alg none with a good signature": raw(`{"alg":"none","kid":"key-1"}`, signES256),
		"no alg":                         raw(`{"kid":"key-1"}`, signES256),
		"an empty alg":                   raw(`{"alg":"","kid":"key-1"}`, signES256),
		"alg null":                       raw(`{"alg":null,"kid":"key-1"}`, signES256),
		"alg a number":                   raw(`{"alg":256,"kid":"key-1"}`, signES256),
		"alg a list":                     raw(`{"alg":["ES256"],"kid":"key-1"}`, signES256),
		"alg in lower case":              raw(`{"alg":"es256","kid":"key-1"}`, signES256),
		"alg in a key of another case":   raw(`{"ALG":"ES256","kid":"key-1"}`, signES256),
		"alg twice":                      raw(`{"alg":"none","alg":"ES256","kid":"key-1"}`, signES256),
		"HS256 with the EC public key":   raw(`{"alg":"HS256","kid":"key-1"}`, hmacWith(ecPEM)),
		"HS256 with the RSA public key":  raw(`{"alg":"HS256","kid":"key-2"}`, hmacWith(rsaPEM)),
		"HS256 with the RSA modulus":     raw(`{"alg":"HS256","kid":"key-2"}`, hmacWith(rsaModulus)),
		"HS256 with an empty secret":     raw(`{"alg":"HS256","kid":"key-1"}`, hmacWith(emptySecret)),
		"an EC key's name on RS256":      raw(`{"alg":"RS256","kid":"key-1"}`, signES256),
		"an RSA key's name on ES256":     raw(`{"alg":"ES256","kid":"key-2"}`, signES256),
		"RS512, outside the list":        signedAs(jose.RS512),
		"PS256 with a key for RS256":     signedAs(jose.PS256),
		"RS384, outside the list":        signedAs(jose.RS384),
		"an encrypted token": with(func(t *testing.T, f *forger) string {
			t.Helper()
			opts := (&jose.EncrypterOptions{}).WithType("JWT").WithHeader("kid", "key-2")
			to := jose.Recipient{Algorithm: jose.RSA_OAEP_256, Key: f.rsa.Public().Key}
			enc, err := jose.NewEncrypter(jose.A256GCM, to, opts)
			require.NoError(t, err)
			jwe, err := enc.Encrypt([]byte(`{"sub":"ana"}`))
			require.NoError(t, err)
			compact, err := jwe.CompactSerialize()
			require.NoError(t, err)
			return compact
		}),
	}
}

// signES256 is a good signature of the issuer's EC key.
func signES256(t *testing.T, f *forger, input string) []byte {
	t.Helper()
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, f.key.Private.(*ecdsa.PrivateKey), digest[:])
	require.NoError(t, err)
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signature
}

func hmacWith(secret func(*testing.T, *forger) []byte) func(*testing.T, *forger, string) []byte {
	return func(t *testing.T, f *forger, input string) []byte {
		t.Helper()
		mac := hmac.New(sha256.New, secret(t, f))
		mac.Write([]byte(input))
		return mac.Sum(nil)
	}
}

func ecPEM(t *testing.T, f *forger) []byte      { return publicPEM(t, f.key.Public().Key) }
func rsaPEM(t *testing.T, f *forger) []byte     { return publicPEM(t, f.rsa.Public().Key) }
func emptySecret(*testing.T, *forger) []byte    { return nil }
func rsaModulus(_ *testing.T, f *forger) []byte { return f.rsa.Public().Key.(*rsa.PublicKey).N.Bytes() }

// signedAs uses the issuer's RSA key with an algorithm it is not published for.
func signedAs(alg jose.SignatureAlgorithm) forgery {
	return with(func(t *testing.T, f *forger) string {
		t.Helper()
		return authtest.Key{ID: f.rsa.ID, Algorithm: alg, Private: f.rsa.Private}.Sign(t, f.claims(nil), nil)
	})
}

func headerForgeries() map[string]forgery {
	table := map[string]forgery{
		"no kid":                       heading("kid", authtest.Absent),
		"an empty kid":                 heading("kid", ""),
		"kid null":                     heading("kid", nil),
		"kid a number":                 heading("kid", 1),
		"kid a list":                   heading("kid", []string{"key-1"}),
		"an unknown kid":               heading("kid", "key-9"),
		"kid of another case":          heading("kid", "KEY-1"),
		"kid of another key":           heading("kid", "key-2"),
		"kid a path":                   heading("kid", "../../../../dev/null"),
		"kid a file address":           heading("kid", "file:///dev/null"),
		"kid SQL":                      heading("kid", "x' UNION SELECT 'secret' --"),
		"kid a command":                heading("kid", "key-1|/usr/bin/id"),
		"kid very long":                heading("kid", strings.Repeat("k", 8<<10)),
		"an empty x5c":                 heading("x5c", []string{}),
		"crit of an unknown extension": heading("crit", []string{"exp"}),
		"crit of b64":                  heading("crit", []string{"b64"}),
		"an empty crit":                heading("crit", []string{}),
		"crit null":                    heading("crit", nil),
		"b64 true":                     heading("b64", true),
		"a compressed payload":         heading("zip", "DEF"),
		"a logout token":               heading("typ", "logout+jwt"),
		"a security event token":       heading("typ", "secevent+jwt"),
		"typ a number":                 heading("typ", 7),
	}
	address := func(f *forger) any { return f.trap.URL + "/keys" }
	own := map[jose.HeaderKey]func(f *forger) any{
		"jku": address,
		"x5u": address,
		"jwk": func(f *forger) any { return f.own.Public() },
		"x5c": func(f *forger) any { return []string{selfSigned(f.own)} },
		"kid": address,
	}
	for name, value := range own {
		table[string(name)+" of the attacker, signed by the attacker"] = with(func(t *testing.T, f *forger) string {
			t.Helper()
			return f.own.Sign(t, f.claims(nil), map[jose.HeaderKey]any{name: value(f)})
		})
		table[string(name)+" of the attacker, signed by the issuer"] = with(func(t *testing.T, f *forger) string {
			t.Helper()
			return f.key.Sign(t, f.claims(nil), map[jose.HeaderKey]any{name: value(f)})
		})
	}
	return table
}

// selfSigned is a certificate that the key's owner made for themselves.
func selfSigned(k authtest.Key) string {
	private := k.Private.(crypto.Signer)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return err.Error()
	}
	return base64.StdEncoding.EncodeToString(der)
}

func signatureForgeries() map[string]forgery {
	return map[string]forgery{
		"no signature":          edited(func(h, p, _ string) string { return h + "." + p + "." }),
		"half a signature":      edited(func(h, p, s string) string { return h + "." + p + "." + s[:43] }),
		"a letter less":         edited(func(h, p, s string) string { return h + "." + p + "." + s[:len(s)-1] }),
		"a signature twice":     edited(func(h, p, s string) string { return h + "." + p + "." + s[:84] + s }),
		"the first bit flipped": edited(func(h, p, s string) string { return h + "." + p + "." + flip(s, 0) }),
		"a middle bit flipped":  edited(func(h, p, s string) string { return h + "." + p + "." + flip(s, 40) }),
		"another last letter":   edited(func(h, p, s string) string { return h + "." + p + "." + flip(s, len(s)-1) }),
		"a signature of zeros":  edited(func(h, p, _ string) string { return h + "." + p + "." + encode(make([]byte, 64)) }),
		"a DER signature":       raw(`{"alg":"ES256","kid":"key-1"}`, signDER),
		"a payload bit flipped": edited(func(h, p, s string) string { return h + "." + flip(p, 30) + "." + s }),
		"another good payload":  edited(func(h, _, s string) string { return h + "." + encode([]byte(`{}`)) + "." + s }),
		"another header":        headed(`{"alg":"ES256","kid":"key-1"}`),
		"the attacker's own key": with(func(t *testing.T, f *forger) string {
			t.Helper()
			return f.own.Sign(t, f.claims(nil), nil)
		}),
		"the signature of another token": with(func(t *testing.T, f *forger) string {
			t.Helper()
			mine := strings.Split(f.token(t, nil), ".")
			other := strings.Split(f.token(t, map[string]any{"sub": "bob", "roles": []string{"admin"}}), ".")
			return mine[0] + "." + other[1] + "." + mine[2]
		}),
		"the attacker's own development key": with(func(t *testing.T, _ *forger) string {
			t.Helper()
			keys, err := auth.OpenKeys(t.TempDir())
			require.NoError(t, err)
			token, err := keys.Mint(auth.Claims{Subject: "eve", Tenant: "demo", TTL: time.Hour})
			require.NoError(t, err)
			return token
		}),
		"the development issuer, signed by the OIDC issuer": with(func(t *testing.T, f *forger) string {
			t.Helper()
			return f.token(t, map[string]any{"iss": "crmgraph-development", "aud": "crmgraph"})
		}),
	}
}

// flip changes one letter of a base64 text into another one.
func flip(s string, at int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	other := letters[strings.IndexByte(letters, s[at])^1]
	return s[:at] + string(other) + s[at+1:]
}

func signDER(t *testing.T, f *forger, input string) []byte {
	t.Helper()
	digest := sha256.Sum256([]byte(input))
	der, err := f.key.Private.(crypto.Signer).Sign(rand.Reader, digest[:], crypto.SHA256)
	require.NoError(t, err)
	return der
}
