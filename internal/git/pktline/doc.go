// Package pktline reads and writes pkt-lines, the framing of Git's wire protocol
// (gitprotocol-common(5), "pkt-line Format"): four hexadecimal digits with the
// length of the whole packet, then the payload. Three packets have no payload: the
// flush packet 0000, the delimiter 0001 and the response-end packet 0002 of
// protocol version 2.
//
// It knows nothing about what the payloads say; that is package wire.
package pktline
