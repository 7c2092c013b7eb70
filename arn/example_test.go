package arn_test

import (
	"fmt"

	"github.com/refward/refward/arn"
)

// The parts of a pattern are compared one by one; a * does not cross from one part into
// the next, but for the last, whose colons are ordinary characters.
func ExampleMatch() {
	const repo = "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo"
	fmt.Println(arn.Match("arn:aws:codecommit:*:*:My*", repo))
	fmt.Println(arn.Match("arn:aws:codecommit:*", repo))
	fmt.Println(arn.Match("arn:aws:codecommit:eu-*:*:*", repo))
	// Output:
	// true
	// true
	// false
}

// ExampleParse reads the parts of a name.
func ExampleParse() {
	a, err := arn.Parse("arn:aws:iam::111122223333:user/dev/alice")
	fmt.Println(a.Service, a.Account, a.Resource, err)
	// Output:
	// iam 111122223333 user/dev/alice <nil>
}
