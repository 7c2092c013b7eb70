package validate

import (
	"iter"
	"strings"
)

// longestWord bounds what is compared; no name of the catalog is longer.
const longestWord = 80

// nearest returns the candidate that a misspelled word was most likely meant to be, ""
// when none is near. Case does not count. Of equally near ones the first wins.
func nearest(word string, candidates iter.Seq[string]) string {
	if word == "" || len(word) > longestWord {
		return ""
	}
	word = strings.ToLower(word)
	best, most := "", 1+len(word)/5
	for c := range candidates {
		if abs(len(c)-len(word)) > most {
			continue
		}
		if d := distance(word, strings.ToLower(c)); d < most || d == most && best == "" {
			best, most = c, d
		}
	}
	return best
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// distance is the number of letters to insert, delete, replace or swap with their
// neighbour that turns a into b.
func distance(a, b string) int {
	before, last, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(last[j]+1, cur[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, last, cur = last, cur, before
	}
	return last[len(b)]
}
