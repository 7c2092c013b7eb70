package main

// text makes lines of words that are the same on every run. The words are many and
// drawn evenly, so that the text compresses to a bit more than half, as source code
// does not: what a corpus weighs is then in its new lines, and a delta between
// versions of one file is what it is in real histories.
type text struct {
	state uint64
	words []byte
}

// wordLen is the length of a word with its blank: short enough that deltas, which look
// for sixteen equal bytes, find none between lines that were made apart.
const (
	wordLen  = 8
	numWords = 1 << 16
)

func newText(seed uint64) *text {
	t := &text{state: seed, words: make([]byte, 0, wordLen*numWords)}
	for range numWords {
		n := t.next()
		for range wordLen - 1 {
			t.words = append(t.words, 'a'+byte(n%26))
			n /= 26
		}
		t.words = append(t.words, ' ')
	}
	return t
}

// next is splitmix64: a good enough draw in three multiplications.
func (t *text) next() uint64 {
	t.state += 0x9e3779b97f4a7c15
	z := t.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below draws a number from 0 to n-1.
func (t *text) below(n int) int { return int(t.next() % uint64(n)) }

// line appends a line of eight words to b.
func (t *text) line(b []byte) []byte {
	for range 2 {
		n := t.next()
		for range 4 {
			w := int(n%numWords) * wordLen
			b = append(b, t.words[w:w+wordLen]...)
			n /= numWords
		}
	}
	b[len(b)-1] = '\n'
	return b
}
