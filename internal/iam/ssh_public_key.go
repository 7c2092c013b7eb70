package iam

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"golang.org/x/crypto/ssh"

	"github.com/refward/refward/internal/secret"
)

// sshKeyPrefix begins the ID of an SSH public key.
const sshKeyPrefix secret.Prefix = "APKA"

// The sizes of RSA keys that IAM accepts, in bits.
const (
	leastRSABits = 2048
	mostRSABits  = 16384
)

// parsePublicKey reads the body of an SSH public key: a line as in authorized_keys, or
// PEM. Beside RSA, the only kind that AWS accepts, it takes Ed25519 and ECDSA.
func parsePublicKey(body string) (key ssh.PublicKey, comment string, err error) {
	text := []byte(strings.TrimSpace(body))
	if bytes.HasPrefix(text, []byte("-----BEGIN ")) {
		key, err = parsePEMKey(text)
	} else {
		key, comment, err = parseAuthorizedKey(text)
	}
	if err != nil {
		return nil, "", err
	}
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521:
		return key, comment, nil
	case ssh.KeyAlgoRSA:
		return key, comment, checkRSA(key)
	default:
		return nil, "", errInvalidPublicKey.New("Keys of type %s are not accepted: use RSA, Ed25519 or ECDSA.", key.Type())
	}
}

func parseAuthorizedKey(text []byte) (ssh.PublicKey, string, error) {
	key, comment, options, rest, err := ssh.ParseAuthorizedKey(text)
	switch {
	case err != nil && bytes.HasPrefix(text, []byte("ssh-")):
		return nil, "", errInvalidPublicKey.Wrap(err, "The SSH public key is not valid.")
	case err != nil:
		return nil, "", errUnrecognizedPublicKeyShape.Wrap(err, "The SSH public key is in neither ssh-rsa nor PEM encoding.")
	case len(options) > 0 || len(rest) > 0 || bytes.Contains(text, []byte("\n")):
		return nil, "", errInvalidPublicKey.New("The SSH public key is not one line of a key and its comment.")
	}
	return key, comment, nil
}

func parsePEMKey(text []byte) (ssh.PublicKey, error) {
	block, rest := pem.Decode(text)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errInvalidPublicKey.New("The SSH public key is not one PEM block.")
	}
	var public any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		return nil, errUnrecognizedPublicKeyShape.New("The PEM block is not a public key.")
	}
	if err != nil {
		return nil, errInvalidPublicKey.Wrap(err, "The SSH public key is not valid.")
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return nil, errInvalidPublicKey.Wrap(err, "The SSH public key is not of a kind that SSH knows.")
	}
	return key, nil
}

func checkRSA(key ssh.PublicKey) error {
	k, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return errInvalidPublicKey.New("The SSH public key is not valid.")
	}
	public, ok := k.CryptoPublicKey().(*rsa.PublicKey)
	if !ok {
		return errInvalidPublicKey.New("The SSH public key is not valid.")
	}
	if bits := public.N.BitLen(); bits < leastRSABits || bits > mostRSABits {
		return errInvalidPublicKey.New("An RSA key must have %d to %d bits; this one has %d.", leastRSABits, mostRSABits, bits)
	}
	return nil
}

// authorizedKey is the key as a line of authorized_keys.
func authorizedKey(key ssh.PublicKey, comment string) string {
	line := strings.TrimSuffix(string(ssh.MarshalAuthorizedKey(key)), "\n")
	if comment != "" {
		line += " " + comment
	}
	return line
}

// pemKey is the key as a PEM block "PUBLIC KEY".
func pemKey(key ssh.PublicKey) (string, error) {
	k, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return "", errors.New("not a key that can be written as PEM")
	}
	der, err := x509.MarshalPKIXPublicKey(k.CryptoPublicKey())
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// publicKey reads a key of the user. Another's is as good as none.
func (s *Service) publicKey(ctx context.Context, tx Reader, u User, id string) (SSHPublicKey, error) {
	k, err := tx.SSHPublicKey(ctx, s.Account, id)
	if errors.Is(err, ErrNotFound) || err == nil && k.UserID != u.ID {
		return SSHPublicKey{}, noSuchSSHPublicKey(id)
	}
	return k, err
}

func shownPublicKey(row SSHPublicKey, user string, key ssh.PublicKey) *types.SSHPublicKey {
	return &types.SSHPublicKey{
		SSHPublicKeyId: &row.ID, UserName: &user, Status: shownStatus(row.Active), UploadDate: &row.Uploaded,
		Fingerprint: new(ssh.FingerprintLegacyMD5(key)),
	}
}
