package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// fetchTimeout bounds a fetch of keys with the discovery that may precede it.
	fetchTimeout = 3 * time.Second
	// maxDocument bounds what is read of one answer, in bytes.
	maxDocument = 256 << 10
)

// provider asks an OIDC issuer for its keys. The library's own discovery reads answers
// of any size and repeats them in its errors, hence this one. One fetch at a time.
type provider struct {
	issuer  string
	client  *http.Client
	keysURL string // the discovered jwks_uri; empty when it must be discovered (again)
}

// newProvider uses a copy of client that follows no redirects.
func newProvider(issuer string, client *http.Client) *provider {
	still := *client
	still.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &provider{issuer: issuer, client: &still}
}

// fetch returns the keys that the issuer publishes now.
func (p *provider) fetch(ctx context.Context) (*keySet, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	if p.keysURL == "" {
		found, err := p.discover(ctx)
		if err != nil {
			return nil, fmt.Errorf("discover issuer: %w", err)
		}
		p.keysURL = found
	}
	keys, err := p.keys(ctx)
	if err != nil {
		p.keysURL = "" // the keys may have moved
		return nil, fmt.Errorf("fetch issuer's keys: %w", err)
	}
	return keys, nil
}

func (p *provider) keys(ctx context.Context) (*keySet, error) {
	document, err := p.get(ctx, p.keysURL)
	if err != nil {
		return nil, err
	}
	return parseKeySet(document)
}

// discover returns the address of the issuer's keys.
func (p *provider) discover(ctx context.Context) (string, error) {
	const wellKnown = "/.well-known/openid-configuration"
	document, err := p.get(ctx, strings.TrimSuffix(p.issuer, "/")+wellKnown)
	if err != nil {
		return "", err
	}
	var metadata struct {
		Issuer  string `json:"issuer"`
		KeysURL string `json:"jwks_uri"`
	}
	if json.Unmarshal(document, &metadata) != nil {
		return "", errors.New("the answer is not a discovery document")
	}
	if metadata.Issuer != p.issuer {
		return "", errors.New("the discovery document is that of another issuer")
	}
	return metadata.KeysURL, checkAddress(metadata.KeysURL)
}

// get returns a whole document; anything but a plain 200 of bounded size is an error.
func (p *provider) get(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Cache-Control", "no-cache")
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d from %s", resp.StatusCode, address)
	}
	document, err := io.ReadAll(http.MaxBytesReader(nil, resp.Body, maxDocument))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", address, err)
	}
	return document, nil
}
