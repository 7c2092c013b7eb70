// Package arn parses, prints and matches Amazon Resource Names (IAM User Guide,
// "Identify AWS resources with Amazon Resource Names").
//
// A name is cut at its first five colons into arn, partition, service, region,
// account and resource; only the resource may hold more colons. A pattern is cut the
// same way and each part is compared by itself, so that a * never stretches over the
// colon between two parts. The package knows no service and looks nothing up.
package arn

import (
	"errors"
	"strings"
)

// ARN is an Amazon Resource Name cut into its parts. The zero ARN is none. It is
// comparable.
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// ErrSyntax is returned for text that is not an ARN.
var ErrSyntax = errors.New("not an ARN")

// Parse reads arn:partition:service:region:account:resource. Region, account and
// resource may be empty, partition and service may not.
func Parse(s string) (ARN, error) {
	p, ok := Cut(s)
	if !ok || p.Partition == "" || p.Service == "" {
		return ARN{}, ErrSyntax
	}
	return p, nil
}

// Cut cuts text at its first five colons and reports whether it had them and began
// with arn. Unlike [Parse] it accepts empty parts everywhere. It does not allocate.
func Cut(s string) (ARN, bool) {
	if !strings.HasPrefix(s, "arn:") {
		return ARN{}, false
	}
	var colons [5]int
	n := 0
	for i := 3; i < len(s) && n < len(colons); i++ {
		if s[i] == ':' {
			colons[n] = i
			n++
		}
	}
	if n < len(colons) {
		return ARN{}, false
	}
	return ARN{
		Partition: s[colons[0]+1 : colons[1]],
		Service:   s[colons[1]+1 : colons[2]],
		Region:    s[colons[2]+1 : colons[3]],
		Account:   s[colons[3]+1 : colons[4]],
		Resource:  s[colons[4]+1:],
	}, true
}

// String returns the text of the ARN; the zero ARN is "".
func (a ARN) String() string {
	if a == (ARN{}) {
		return ""
	}
	return "arn:" + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.Account + ":" + a.Resource
}
