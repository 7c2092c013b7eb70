package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

const (
	keySize   = 32 // bytes of the master key and of the keys derived from it
	keyIDSize = 8
	version   = 1 // first byte of every envelope
	headSize  = 1 + keyIDSize
)

// ErrKey is returned, wrapped, for what was sealed or hashed under a master key that
// the keeper does not have.
var ErrKey = errors.New("made with another master key")

// ErrDamaged is returned, wrapped, for a sealed secret that was changed, cut, or moved
// to another row.
var ErrDamaged = errors.New("the sealed secret is damaged or out of place")

// Keeper seals, opens, hashes and signs under the master key. It is safe for
// concurrent use.
type Keeper struct {
	current *masterKey
	byID    map[[keyIDSize]byte]*masterKey
}

// masterKey is what is derived from one master key, for one purpose each.
type masterKey struct {
	id     [keyIDSize]byte // names the key; says nothing about it
	seal   cipher.AEAD
	pepper []byte // key of the hashes
	sign   []byte // key of the signatures
	ticket []byte // what the keys of tickets are derived from
}

// NewKeeper returns a keeper that uses the first key, 32 bytes, and can still open
// and verify what was made with the others.
func NewKeeper(current []byte, others ...[]byte) (*Keeper, error) {
	k := &Keeper{byID: map[[keyIDSize]byte]*masterKey{}}
	for i, raw := range append([][]byte{current}, others...) {
		m, err := derive(raw)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			k.current = m
		}
		k.byID[m.id] = m
	}
	return k, nil
}

func derive(raw []byte) (*masterKey, error) {
	if len(raw) != keySize {
		return nil, fmt.Errorf("a master key has %d bytes, not %d", keySize, len(raw))
	}
	part := func(purpose string, size int) []byte {
		b, err := hkdf.Key(sha256.New, raw, nil, "refward "+purpose, size)
		if err != nil {
			panic(err) // only for a size beyond HKDF's limit
		}
		return b
	}
	block, err := aes.NewCipher(part("seal", keySize))
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	m := &masterKey{seal: aead, pepper: part("pepper", keySize), sign: part("sign", keySize), ticket: part("ticket", keySize)}
	copy(m.id[:], part("id", keyIDSize))
	return m, nil
}

// KeyID returns the name of the master key in use, 16 hexadecimal digits, for people.
func (k *Keeper) KeyID() string { return hex.EncodeToString(k.current.id[:]) }

// head is what every envelope and hash begins with: the version and the key's ID.
func (m *masterKey) head() []byte { return append([]byte{version}, m.id[:]...) }

func (k *Keeper) keyOf(b []byte) (*masterKey, error) {
	if len(b) < headSize || b[0] != version {
		return nil, ErrDamaged
	}
	m, ok := k.byID[[keyIDSize]byte(b[1:headSize])]
	if !ok {
		return nil, fmt.Errorf("%w, %x", ErrKey, b[1:headSize])
	}
	return m, nil
}

// Seal encrypts a secret for storage. The place (for example the row's key) is not
// stored; Open needs the same one, so that a sealed secret that was copied to another
// row does not open there.
func (k *Keeper) Seal(plain Text, place string) []byte {
	head := k.current.head()
	return k.current.seal.Seal(head, nil, []byte(plain.s), append(head, place...))
}

// Open decrypts what Seal made for the same place.
func (k *Keeper) Open(sealed []byte, place string) (Text, error) {
	m, err := k.keyOf(sealed)
	if err != nil {
		return Text{}, fmt.Errorf("open a sealed secret: %w", err)
	}
	plain, err := m.seal.Open(nil, nil, sealed[headSize:], append(m.head(), place...))
	if err != nil {
		return Text{}, fmt.Errorf("open a sealed secret: %w", ErrDamaged)
	}
	return Text{string(plain)}, nil
}

// Hash returns what is stored of a secret that must only be recognised.
//
// It is HMAC-SHA-256 under a key derived from the master key, and no slow hash: the
// secrets are ours, random and of 256 bits, so there is nothing to guess, and a slow
// hash would cost every Git request tens of milliseconds and let an unauthenticated
// caller spend our processors. The key (a pepper) keeps a copy of the database from
// serving to check a secret that leaked elsewhere.
func (k *Keeper) Hash(t Text) []byte { return k.current.hash(t.s) }

func (m *masterKey) hash(s string) []byte {
	mac := hmac.New(sha256.New, m.pepper)
	mac.Write([]byte(s))
	return mac.Sum(m.head())
}

// NoHash returns a hash that no secret has, to compare with where there is none to
// compare with, so that both take the same time.
func (k *Keeper) NoHash() []byte { return append(k.current.head(), make([]byte, sha256.Size)...) }

// Matches reports, in time that does not depend on where they differ, whether the
// stored hash is that of s. An error means that it cannot be known.
func (k *Keeper) Matches(hash []byte, s string) (bool, error) {
	m, err := k.keyOf(hash)
	if err != nil {
		return false, fmt.Errorf("verify a hash: %w", err)
	}
	return hmac.Equal(hash, m.hash(s)), nil
}
