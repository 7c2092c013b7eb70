package iam_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"golang.org/x/crypto/ssh"

	"github.com/refward/refward/internal/authn"
)

const ed25519Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOF68b3GKP7WEAMKJdQ9E6aFIi+LAT26Wn1YvT+T2dfh alice@example"

func line(t *testing.T, public crypto.PublicKey) string {
	t.Helper()
	k, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k)))
}

// fakeRSA is a public key of a size; nobody has the private one.
func fakeRSA(bits uint) *rsa.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return &rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 65537}
}

func pemOf(t *testing.T, public crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func TestSSHPublicKeys(t *testing.T) {
	h := newHost(t)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certificate := strings.Replace(ed25519Key, "ssh-ed25519 ", "ssh-ed25519-cert-v01@openssh.com ", 1)
	pkcs1 := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(fakeRSA(3072))}))
	for i, tc := range []struct {
		name, body string
		code       string // empty: accepted
	}{
		{"Ed25519", ed25519Key, ""},
		{"ECDSA", line(t, curve.Public()), ""},
		{"RSA 2048 with a comment", line(t, fakeRSA(2048)) + " a comment of words\n", ""},
		{"RSA 16384", line(t, fakeRSA(16384)), ""},
		{"RSA PEM", pemOf(t, fakeRSA(4096)), ""},
		{"RSA PKCS #1", pkcs1, ""},
		{"Ed25519 with blanks around", "\n  " + ed25519Key + " \r\n", ""},
		{"RSA 2047", line(t, fakeRSA(2047)), "InvalidPublicKey"},
		{"RSA 16385", line(t, fakeRSA(16385)), "InvalidPublicKey"},
		{"RSA 1024 PEM", pemOf(t, fakeRSA(1024)), "InvalidPublicKey"},
		{"DSA", "ssh-dss AAAAB3NzaC1kc3MAAACBAP==", "InvalidPublicKey"},
		{"cut", ed25519Key[:40], "InvalidPublicKey"},
		{"with options", `command="sh" ` + ed25519Key, "InvalidPublicKey"},
		{"two lines", ed25519Key + "\n" + ed25519Key, "InvalidPublicKey"},
		{"a private key", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "UnrecognizedPublicKeyEncoding"},
		{"broken PEM", "-----BEGIN PUBLIC KEY-----\n!", "InvalidPublicKey"},
		{"PEM of nothing", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "InvalidPublicKey"},
		{"words", "my public key", "UnrecognizedPublicKeyEncoding"},
		{"a certificate's name on a key", certificate, "InvalidPublicKey"},
		{"not Latin-1", ed25519Key + " €", "ValidationError"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			name := fmt.Sprintf("u%d", i)
			setUp(t, h, &api.CreateUserInput{UserName: &name})
			out, err := invoke(t, h, h.root(), &api.UploadSSHPublicKeyInput{UserName: &name, SSHPublicKeyBody: &tc.body})
			if tc.code != "" {
				wantFault(t, "upload", err, tc.code, "")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			up := out.(*api.UploadSSHPublicKeyOutput).SSHPublicKey
			if !regexp.MustCompile(`^APKA[A-Z2-7]{17}$`).MatchString(*up.SSHPublicKeyId) || !regexp.MustCompile(`^([0-9a-f]{2}:){15}[0-9a-f]{2}$`).MatchString(*up.Fingerprint) {
				t.Errorf("ID %s and fingerprint %s", *up.SSHPublicKeyId, *up.Fingerprint)
			}
			for _, encoding := range []types.EncodingType{"SSH", "PEM"} {
				got := run[api.GetSSHPublicKeyOutput](t, h, h.root(), &api.GetSSHPublicKeyInput{UserName: &name, SSHPublicKeyId: up.SSHPublicKeyId, Encoding: encoding}).SSHPublicKey
				// What is shown is accepted again and is the same key.
				other := name + string(encoding)
				setUp(t, h, &api.CreateUserInput{UserName: &other})
				again := run[api.UploadSSHPublicKeyOutput](t, h, h.root(), &api.UploadSSHPublicKeyInput{UserName: &other, SSHPublicKeyBody: got.SSHPublicKeyBody}).SSHPublicKey
				if *again.Fingerprint != *up.Fingerprint || *got.Fingerprint != *up.Fingerprint {
					t.Errorf("%s: fingerprint %s became %s", encoding, *up.Fingerprint, *again.Fingerprint)
				}
			}
			_, err = invoke(t, h, h.root(), &api.UploadSSHPublicKeyInput{UserName: &name, SSHPublicKeyBody: &tc.body})
			wantFault(t, "upload twice", err, "DuplicateSSHPublicKey", "")
		})
	}
}

// ssh-keygen -l -E md5 says the same.
func TestFingerprint(t *testing.T) {
	h := newHost(t)
	alice := user(t, h, "alice")
	setUp(t, h, &api.PutUserPolicyInput{UserName: aws.String("alice"), PolicyName: aws.String("p"),
		PolicyDocument: aws.String(allow(`"iam:*SSH*"`, `"arn:aws:iam::*:user/${aws:username}"`))})
	up := run[api.UploadSSHPublicKeyOutput](t, h, alice, &api.UploadSSHPublicKeyInput{SSHPublicKeyBody: aws.String(ed25519Key)}).SSHPublicKey
	if want := "a1:7e:b4:18:04:86:02:38:c5:fb:06:5f:da:8e:35:b5"; *up.Fingerprint != want {
		t.Errorf("fingerprint %s, want %s", *up.Fingerprint, want)
	}
	got := run[api.GetSSHPublicKeyOutput](t, h, alice, &api.GetSSHPublicKeyInput{SSHPublicKeyId: up.SSHPublicKeyId, Encoding: "SSH"})
	if *got.SSHPublicKey.SSHPublicKeyBody != ed25519Key || *got.SSHPublicKey.UserName != "alice" {
		t.Errorf("the key is %q of %s", *got.SSHPublicKey.SSHPublicKeyBody, *got.SSHPublicKey.UserName)
	}
	list := func() []types.SSHPublicKeyMetadata {
		return run[api.ListSSHPublicKeysOutput](t, h, alice, &api.ListSSHPublicKeysInput{}).SSHPublicKeys
	}
	if l := list(); len(l) != 1 || *l[0].SSHPublicKeyId != *up.SSHPublicKeyId || l[0].Status != "Active" {
		t.Errorf("listed: %+v", l)
	}
	known := func(want error) {
		t.Helper()
		k, err := h.service.SSHKey(t.Context(), *up.SSHPublicKeyId)
		if err != want { //nolint:errorlint // the contract's own value
			t.Errorf("the key is known: %v, want %v", err, want)
		}
		if err == nil && (k.Identity.Principal.Name != "alice" || ssh.FingerprintLegacyMD5(mustKey(t, k.PublicKey)) != *up.Fingerprint) {
			t.Errorf("the key is %+v", k)
		}
	}
	known(nil)
	for _, step := range []struct {
		status types.StatusType
		want   error
	}{{"Inactive", authn.ErrUnknown}, {"Active", nil}} {
		run[api.UpdateSSHPublicKeyOutput](t, h, alice, &api.UpdateSSHPublicKeyInput{SSHPublicKeyId: up.SSHPublicKeyId, Status: step.status})
		known(step.want)
	}
	run[api.DeleteSSHPublicKeyOutput](t, h, alice, &api.DeleteSSHPublicKeyInput{SSHPublicKeyId: up.SSHPublicKeyId})
	known(authn.ErrUnknown)
	for n := range 6 {
		_, err := invoke(t, h, alice, &api.UploadSSHPublicKeyInput{SSHPublicKeyBody: aws.String(line(t, fakeRSA(uint(2048+n))))})
		if n < 5 && err != nil {
			t.Fatal(err)
		}
		if n == 5 {
			wantFault(t, "a sixth key", err, "LimitExceeded", "Cannot exceed quota for SSHPublicKeysPerUser: 5")
		}
	}
}

func mustKey(t *testing.T, wire []byte) ssh.PublicKey {
	t.Helper()
	k, err := ssh.ParsePublicKey(wire)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
