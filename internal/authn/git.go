package authn

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

const (
	// gitSkew is how long a Git signature is good for, and how far the clocks may be
	// apart: one password serves all requests of one run of git.
	gitSkew = 15 * time.Minute

	gitDate = "20060102T150405" // in the string to sign, which has no Z

	maxBasic = 4 << 10 // bytes of a user name or password that are looked at
)

var gitPassword = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z[0-9a-f]{64}$`)

// Git proves the holder of a Git credential given as HTTP Basic: a service-specific
// credential, or the "GIT" signature of aws codecommit credential-helper and
// git-remote-codecommit, with an access key or with temporary credentials. host is the
// request's Host header and paths those that such a signature may be for: the
// repository's, /v1/repos/NAME, and others that are the repository's too. Whatever is
// wrong with the credential is [ErrUnknown]; any other error is a failure of the source.
func (v *Verifier) Git(ctx context.Context, userName, password, host string, paths ...string) (Identity, error) {
	if userName == "" || password == "" || len(userName) > maxBasic || len(password) > maxBasic {
		return Identity{}, ErrUnknown
	}
	if g, ok := parseGitPassword(userName, password); ok {
		return v.gitSignature(ctx, g, host, paths)
	}
	return v.Source.GitPassword(ctx, userName, password)
}

// gitClaim is a parsed Git signature.
type gitClaim struct {
	keyID     string
	tokens    []string // none, or the session token that came with the key's ID
	at        time.Time
	signature string
}

// parseGitPassword reads the user name KEYID or KEYID%TOKEN (some signers write the
// percent sign without a token) and the password, a date and a signature. It reports
// false for what has another form, which a service-specific credential has.
func parseGitPassword(userName, password string) (gitClaim, bool) {
	if !gitPassword.MatchString(password) {
		return gitClaim{}, false
	}
	at, err := time.Parse(isoBasic, password[:16])
	if err != nil {
		return gitClaim{}, false
	}
	keyID, token, _ := strings.Cut(userName, "%")
	if !keyIDPattern.MatchString(keyID) {
		return gitClaim{}, false
	}
	g := gitClaim{keyID: keyID, at: at, signature: password[16:]}
	if token != "" {
		g.tokens = []string{token}
	}
	return g, true
}

func (v *Verifier) gitSignature(ctx context.Context, g gitClaim, host string, paths []string) (Identity, error) {
	if age := v.Now().Sub(g.at); age > gitSkew || age < -gitSkew {
		return Identity{}, ErrUnknown
	}
	key, err := v.lookUp(ctx, g.keyID, g.tokens)
	switch {
	case errors.Is(err, ErrUnknown), errors.Is(err, ErrExpired): // either way Git should forget it
		return Identity{}, ErrUnknown
	case err != nil:
		return Identity{}, fmt.Errorf("look up access key %q: %w", g.keyID, err)
	}
	date := g.at.Format(gitDate)
	signer := deriveKey(key.Secret, scope{date: date[:8], region: v.Region, service: "codecommit", term: terminator})
	matches := 0
	for _, path := range paths {
		for _, canonical := range gitRequests(host, path) {
			matches |= same(signer.sign(date, canonical), g.signature)
		}
	}
	if matches == 0 {
		return Identity{}, ErrUnknown
	}
	id := key.Identity
	id.Credential.Kind = "git-signature"
	return id, nil
}

// gitRequests returns the canonical requests that a signer may have signed: the
// credential helper cuts the host at the first colon, git-remote-codecommit signs it
// whole, and both take the path as it was typed, with or without a slash at its end.
func gitRequests(host, path string) []string {
	path = strings.TrimRight(path, "/")
	name, _, _ := strings.Cut(host, ":")
	var all []string
	for _, h := range []string{host, name} {
		for _, p := range []string{path, path + "/"} {
			all = append(all, "GIT\n"+p+"\n\nhost:"+h+"\n\nhost\n")
		}
	}
	return all
}
