package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"crmgraph/crm"
	"crmgraph/internal/keyfile"
)

// What development tokens say of themselves.
const (
	developmentIssuer   = "crmgraph-development"
	developmentAudience = "crmgraph"
)

// keyFile is the name of the file with the development key, a private JWK.
const keyFile = "development-key.json"

// Keys sign the tokens of a development server. They are no part of a production
// set-up: whoever can read the file is every user of every tenant.
type Keys struct {
	signer jose.Signer
	public *keySet
}

// Claims are what a development token says about its bearer.
type Claims struct {
	Subject     string
	Tenant      string   // the tenant's code
	Roles       []string // names known to [crm.RolePermissions]
	Permissions []string // spelt crm:<resource>:<action>
	TTL         time.Duration
}

// OpenKeys returns the ES256 key kept in dir, and makes directory and key when they are
// not there. See [keyfile.Open] for how the file is protected.
func OpenKeys(dir string) (*Keys, error) {
	path := filepath.Join(dir, keyFile)
	content, err := keyfile.Open(path, generateKey)
	if err != nil {
		return nil, fmt.Errorf("development key: %w", err)
	}
	var jwk jose.JSONWebKey
	if jwk.UnmarshalJSON(content) != nil {
		return nil, fmt.Errorf("development key: %s is not a JSON Web Key", path)
	}
	return newKeys(jwk)
}

// Mint signs a token that is valid from now on for c.TTL. Error: Invalid when a value
// would make the token useless.
func (k *Keys) Mint(c Claims) (string, error) {
	if err := c.check(); err != nil {
		return "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("mint token: %w", err)
	}
	now := time.Now()
	names := standardClaims()
	signed, err := jwt.Signed(k.signer).Claims(jwt.Claims{
		Issuer:    developmentIssuer,
		Subject:   c.Subject,
		Audience:  jwt.Audience{developmentAudience},
		Expiry:    jwt.NewNumericDate(now.Add(c.TTL)),
		NotBefore: jwt.NewNumericDate(now),
		IssuedAt:  jwt.NewNumericDate(now),
		ID:        id.String(),
	}).Claims(map[string]any{
		names.tenant:      c.Tenant,
		names.roles:       c.Roles,
		names.permissions: c.Permissions,
	}).Serialize()
	if err != nil {
		return "", fmt.Errorf("mint token: %w", err)
	}
	return signed, nil
}

func (c Claims) check() error {
	invalid := func(field, message string) error {
		return &crm.Error{Code: crm.Invalid, Field: field, Message: message}
	}
	switch {
	case !printable(c.Subject):
		return invalid("subject", "a subject is required")
	case !printable(c.Tenant):
		return invalid("tenant", "a tenant's code is required")
	case c.TTL < time.Second:
		return invalid("ttl", "a token must live for a second at least")
	}
	for _, role := range c.Roles {
		if _, ok := crm.RolePermissions(role); !ok {
			return invalid("roles", fmt.Sprintf("there is no role %q", role))
		}
	}
	for _, p := range c.Permissions {
		if !permissionForm.MatchString(p) {
			return invalid("permissions", fmt.Sprintf("%q is not spelt crm:<resource>:<action>", p))
		}
	}
	return nil
}

func newKeys(jwk jose.JSONWebKey) (*Keys, error) {
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jwk},
		(&jose.SignerOptions{}).WithType("JWT"),
	)
	if err != nil {
		return nil, fmt.Errorf("development key: %w", err)
	}
	public, ok := verifying(jwk.Public())
	if !ok {
		return nil, errors.New("development key: the file holds a key of another kind")
	}
	return &Keys{signer: signer, public: &keySet{keys: []publicKey{public}}}, nil
}

// generateKey returns a new private JWK, named by its RFC 7638 thumbprint.
func generateKey() ([]byte, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	jwk := jose.JSONWebKey{Key: private, Algorithm: string(jose.ES256), Use: "sig"}
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, err
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return json.Marshal(jwk)
}
