package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

// SealTicket encrypts a secret that its holder keeps and hands back, such as what a
// session token says; the host keeps nothing. Only [Keeper.OpenTicket] for the same
// place opens it.
//
// It is the envelope of [Keeper.Seal] under a key of each place's own. Tickets are made
// as often as somebody asks for one, and random nonces under one key would come to
// repeat; and whoever sends tickets to be opened learns nothing about the key that the
// secrets at rest are sealed with.
func (k *Keeper) SealTicket(plain Text, place string) []byte {
	head := k.current.head()
	return k.current.ticketSeal(place).Seal(head, nil, []byte(plain.s), append(head, place...))
}

// OpenTicket decrypts what SealTicket made for the same place.
func (k *Keeper) OpenTicket(sealed []byte, place string) (Text, error) {
	m, err := k.keyOf(sealed)
	if err != nil {
		return Text{}, fmt.Errorf("open a ticket: %w", err)
	}
	plain, err := m.ticketSeal(place).Open(nil, nil, sealed[headSize:], append(m.head(), place...))
	if err != nil {
		return Text{}, fmt.Errorf("open a ticket: %w", ErrDamaged)
	}
	return Text{string(plain)}, nil
}

// ticketSeal derives the cipher of one place.
func (m *masterKey) ticketSeal(place string) cipher.AEAD {
	key, err := hkdf.Expand(sha256.New, m.ticket, place, keySize)
	if err != nil {
		panic(err) // only for a size beyond HKDF's limit
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // only for another size of key
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // only for another size of block
	}
	return aead
}
