package authn

import (
	"context"
	"time"

	"github.com/refward/refward/internal/authz"
)

const (
	testKeyID  = "AKIDEXAMPLE"
	testSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

	testSessionID = "ASIDEXAMPLE"
	testToken     = "AQoDYXdzEJr+/== %:;" // any text: clients must not assume more
)

var testNow = time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)

// memory is a source of what a test put into it.
type memory struct {
	keys      map[string]string    // secret by access key ID
	sessions  map[[2]string]string // secret by access key ID and token; that of an expired one is empty
	passwords map[[2]string]string // credential ID by user name and password
	err       error                // answers everything
}

func (m memory) SigningKey(_ context.Context, id string) (SigningKey, error) {
	secret, ok := m.keys[id]
	if !ok || m.err != nil {
		return SigningKey{}, cmpErr(m.err)
	}
	return SigningKey{Identity: identity("access-key", id), Secret: secret}, nil
}

func (m memory) SessionKey(_ context.Context, id, token string) (SigningKey, error) {
	secret, ok := m.sessions[[2]string{id, token}]
	switch {
	case !ok || m.err != nil:
		return SigningKey{}, cmpErr(m.err)
	case secret == "":
		return SigningKey{}, ErrExpired
	}
	return SigningKey{Identity: identity("session", id), Secret: secret}, nil
}

func (m memory) GitPassword(_ context.Context, userName, password string) (Identity, error) {
	id, ok := m.passwords[[2]string{userName, password}]
	if !ok || m.err != nil {
		return Identity{}, cmpErr(m.err)
	}
	return identity("service-specific", id), nil
}

func (m memory) SSHKey(context.Context, string) (SSHKey, error) { return SSHKey{}, cmpErr(m.err) }

func cmpErr(err error) error {
	if err == nil {
		return ErrUnknown
	}
	return err
}

func identity(kind, id string) Identity {
	return Identity{
		Principal:  authz.Principal{Kind: authz.User, Account: "111122223333", Name: "alice"},
		Credential: authz.Credential{Kind: kind, ID: id},
	}
}

func verifier() *Verifier {
	return &Verifier{
		Source: memory{
			keys:      map[string]string{testKeyID: testSecret},
			sessions:  map[[2]string]string{{testSessionID, testToken}: testSecret, {testSessionID, "old"}: ""},
			passwords: map[[2]string]string{{"alice-at-111122223333", "secret="}: "ACCA1"},
		},
		Region: "eu-west-1",
		Now:    func() time.Time { return testNow },
	}
}
