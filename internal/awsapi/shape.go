package awsapi

import (
	"reflect"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go/middleware"
)

// queryCodec is awsQuery for structs of the SDK, by reflection: a member is named as
// its field, but for those in renamed. The zero value is ready; it is safe for
// concurrent use.
type queryCodec struct {
	shapes sync.Map // reflect.Type of a struct -> []queryMember
}

// queryMember is one member of a structure: its name on the wire and its field.
type queryMember struct {
	name  string
	field int
}

// renamed are the members whose names on the wire are not their fields'.
var renamed = map[reflect.Type]map[string]string{
	reflect.TypeFor[iam.ListDelegationRequestsOutput](): {"IsTruncated": "isTruncated"},
	reflect.TypeFor[ststypes.PolicyDescriptorType]():    {"Arn": "arn"},
}

// emptyResults are the outputs that have no members and yet a result element.
var emptyResults = map[reflect.Type]bool{
	reflect.TypeFor[iam.PutAccountPropertiesOutput](): true,
	reflect.TypeFor[iam.UpdateRoleOutput]():           true,
}

// unions are the members of the unions, whose interfaces do not tell.
var unions = map[reflect.Type][]unionMember{
	reflect.TypeFor[types.PolicyIdentifier](): {
		{"InlinePolicyIdentifier", reflect.TypeFor[types.PolicyIdentifierMemberInlinePolicyIdentifier]()},
		{"PolicyArn", reflect.TypeFor[types.PolicyIdentifierMemberPolicyArn]()},
		{"PolicyType", reflect.TypeFor[types.PolicyIdentifierMemberPolicyType]()},
	},
}

// unionMember is one member of a union: a struct with the field Value, whose pointer
// implements the union's interface.
type unionMember struct {
	name string
	typ  reflect.Type
}

var metadataType = reflect.TypeFor[middleware.Metadata]()

// shape returns the members of a structure in the order of its fields.
func (c *queryCodec) shape(t reflect.Type) []queryMember {
	if members, ok := c.shapes.Load(t); ok {
		return members.([]queryMember)
	}
	var members []queryMember
	for f := range t.Fields() {
		if !f.IsExported() || f.Type == metadataType {
			continue
		}
		name := f.Name
		if other, ok := renamed[t][name]; ok {
			name = other
		}
		members = append(members, queryMember{name: name, field: f.Index[0]})
	}
	c.shapes.Store(t, members)
	return members
}
