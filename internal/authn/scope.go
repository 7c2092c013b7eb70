package authn

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/refward/refward/internal/fault"
)

const (
	terminator = "aws4_request"
	scopeDate  = "20060102"

	// globalRegion is where services without regions are signed for, in partition aws.
	globalRegion = "us-east-1"
)

// global are the services that are signed for globalRegion wherever the host is.
var global = []string{"iam", "sts"}

// scope is a parsed credential: key ID and what the signature is good for.
type scope struct {
	keyID, date, region, service, term string
}

var keyIDPattern = regexp.MustCompile(`^\w{1,128}$`)

func parseScope(credential string) (scope, error) {
	p := strings.Split(credential, "/")
	if len(p) != 5 {
		return scope{}, fault.SignatureDoesNotMatch.New(
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'", shorten(credential))
	}
	return scope{keyID: p[0], date: p[1], region: p[2], service: p[3], term: p[4]}, nil
}

// text is the scope as it stands in the string to sign.
func (s scope) text() string {
	return s.date + "/" + s.region + "/" + s.service + "/" + s.term
}

// check compares the scope with the host; all that is wrong is told at once. An ID
// that no key can have is refused here, before it is looked for.
func (s scope) check(at time.Time, region string, services []string) error {
	var wrong []string
	if s.region != region && (s.region != globalRegion || !slices.Contains(global, s.service)) {
		wrong = append(wrong, fmt.Sprintf("Credential should be scoped to a valid region, not '%s'.", shorten(s.region)))
	}
	if !slices.Contains(services, s.service) {
		wrong = append(wrong, fmt.Sprintf("Credential should be scoped to correct service: '%s'.", strings.Join(services, "' or '")))
	}
	if s.term != terminator {
		wrong = append(wrong, fmt.Sprintf("Credential should be scoped with a valid terminator: '%s', not '%s'.", terminator, shorten(s.term)))
	}
	if day := at.Format(scopeDate); s.date != day {
		wrong = append(wrong, fmt.Sprintf("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.",
			shorten(s.date), day, at.Format(isoBasic)))
	}
	if wrong != nil {
		return fault.SignatureDoesNotMatch.New("%s", strings.Join(wrong, " "))
	}
	if !keyIDPattern.MatchString(s.keyID) {
		return unknownKey()
	}
	return nil
}
