package awsapi

import (
	"context"
	"reflect"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// protocol is how a service is spoken to.
type protocol uint8

const (
	awsQuery protocol = iota // the zero value: what a request is taken for that names no target
	awsJSON
)

// The limits of a request's body. CodeCommit takes file contents of up to 6 MB in
// base64; the largest thing IAM takes is a policy document.
const (
	maxJSONBody  = 16 << 20
	maxQueryBody = 1 << 20
)

// limit returns how long a body may be.
func (p protocol) limit() int64 {
	if p == awsJSON {
		return maxJSONBody
	}
	return maxQueryBody
}

// service is one AWS service as its clients see it.
type service struct {
	name      string // the signing name, and op.Spec.Service
	protocol  protocol
	target    string // of awsJson1.1: what X-Amz-Target begins with
	version   string // of awsQuery: the Version parameter
	namespace string // of awsQuery: the namespace of the answers
	client    reflect.Type
}

var services = []*service{
	{
		name: "codecommit", protocol: awsJSON, target: "CodeCommit_20150413.",
		client: reflect.TypeFor[*codecommit.Client](),
	},
	{
		name: "iam", protocol: awsQuery, version: "2010-05-08",
		namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
		client:    reflect.TypeFor[*iam.Client](),
	},
	{
		name: "sts", protocol: awsQuery, version: "2011-06-15",
		namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		client:    reflect.TypeFor[*sts.Client](),
	},
}

// serviceNamed returns the service with the signing name, or nil.
func serviceNamed(name string) *service {
	for _, s := range services {
		if s.name == name {
			return s
		}
	}
	return nil
}

// signingNames returns the names of the services that speak the protocol.
func (p protocol) signingNames() []string {
	var names []string
	for _, s := range services {
		if s.protocol == p {
			names = append(names, s.name)
		}
	}
	return names
}

// has reports whether AWS publishes an operation of this name.
func (s *service) has(operation string) bool {
	_, ok := slices.BinarySearch(published()[s.name], operation)
	return ok
}

// Known returns the names of all operations that AWS publishes for a service
// ("codecommit", "iam" or "sts"), sorted, whether this host has them or not; nil for
// any other name.
func Known(service string) []string { return slices.Clone(published()[service]) }

// published reads the names off the SDK's clients.
var published = sync.OnceValue(func() map[string][]string {
	names := map[string][]string{}
	for _, s := range services {
		for m := range s.client.Methods() {
			if isOperation(m.Type) {
				names[s.name] = append(names[s.name], m.Name)
			}
		}
		slices.Sort(names[s.name])
	}
	return names
})

// isOperation reports whether a client's method calls an operation:
// func(context.Context, *XInput, ...func(*Options)) (*XOutput, error).
func isOperation(t reflect.Type) bool {
	return t.NumIn() == 4 && t.IsVariadic() && t.NumOut() == 2 &&
		t.In(1) == reflect.TypeFor[context.Context]() && t.Out(1) == reflect.TypeFor[error]()
}
