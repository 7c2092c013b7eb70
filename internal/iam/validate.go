package iam

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/refward/refward/internal/fault"
)

// constraint is what the service model says of a text.
type constraint struct {
	least, most int // characters
	pattern     *regexp.Regexp
	shown       string // the pattern as the model spells it
}

func newConstraint(least, most int, pattern, shown string) constraint {
	return constraint{least: least, most: most, pattern: regexp.MustCompile(`^(?:` + pattern + `)$`), shown: shown}
}

const (
	namePattern = `[\w+=,.@-]+`
	wordPattern = `[\w]+`
	anyText     = `(?s:.*)`
	latin       = `[\t\n\r\x{20}-\x{FF}]+`
	latinShown  = `[\u0009\u000A\u000D\u0020-\u00FF]+`
)

// The constraints of the IAM API, by the names of its shapes.
var (
	userNameType         = newConstraint(1, 64, namePattern, namePattern)
	existingUserNameType = newConstraint(1, 128, namePattern, namePattern)
	groupNameType        = newConstraint(1, 128, namePattern, namePattern)
	policyNameType       = newConstraint(1, 128, namePattern, namePattern)
	pathType             = newConstraint(1, 512, `/|/[!-~]+/`, `(\u002F)|(\u002F[\u0021-\u007E]+\u002F)`)
	pathPrefixType       = newConstraint(1, 512, `/[!-\x{7F}]*`, `\u002F[\u0021-\u007F]*`)
	policyDocumentType   = newConstraint(1, 131072, latin, latinShown)
	accessKeyIDType      = newConstraint(16, 128, wordPattern, wordPattern)
	credentialIDType     = newConstraint(20, 128, wordPattern, wordPattern)
	publicKeyIDType      = newConstraint(20, 128, wordPattern, wordPattern)
	serviceNameType      = newConstraint(1, 256, `[!-~]+`, `[\u0021-\u007E]+`) // the model bounds it nowhere
	publicKeyBodyType    = newConstraint(1, 16384, latin, latinShown)
	arnType              = newConstraint(20, 2048, anyText, anyText)
	actionNameType       = newConstraint(3, 128, anyText, anyText)
	resourceNameType     = newConstraint(1, 2048, anyText, anyText)
	contextKeyNameType   = newConstraint(5, 256, anyText, anyText)
	handlingOptionType   = newConstraint(1, 64, anyText, anyText)
	tagKeyType           = newConstraint(1, 128, `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`, `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`)
	tagValueType         = newConstraint(0, 256, `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`, `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`)
)

// invalid joins everything that is wrong with an input into one fault, or returns nil.
func invalid(problems ...[]string) error {
	all := slices.Concat(problems...)
	switch len(all) {
	case 0:
		return nil
	case 1:
		return fault.ValidationError.New("1 validation error detected: %s", all[0])
	default:
		return fault.ValidationError.New("%d validation errors detected: %s", len(all), strings.Join(all, "; "))
	}
}

func problem(member, constraint string) string {
	return "Value at '" + member + "' failed to satisfy constraint: Member must " + constraint
}

// optional checks a text that may be left out.
func optional(member string, value *string, c constraint) []string {
	if value == nil {
		return nil
	}
	var all []string
	n := utf8.RuneCountInString(*value)
	if n < c.least {
		all = append(all, problem(member, "have length greater than or equal to "+strconv.Itoa(c.least)))
	}
	if n > c.most {
		// Nothing else about it: what is too long is not matched.
		return []string{problem(member, "have length less than or equal to "+strconv.Itoa(c.most))}
	}
	if !utf8.ValidString(*value) || !c.pattern.MatchString(*value) {
		all = append(all, problem(member, "satisfy regular expression pattern: "+c.shown))
	}
	return all
}

// required checks a text that must be given.
func required(member string, value *string, c constraint) []string {
	if value == nil {
		return []string{problem(member, "not be null")}
	}
	return optional(member, value, c)
}

// oneOf checks a required value of an enumeration.
func oneOf[T ~string](member string, value T, allowed ...T) []string {
	switch {
	case value == "":
		return []string{problem(member, "not be null")}
	case !slices.Contains(allowed, value):
		return []string{problem(member, "satisfy enum value set: "+strings.ReplaceAll(fmt.Sprint(allowed), " ", ", "))}
	}
	return nil
}

// status checks the status of a credential. Expired is one that nobody can set.
func status(value types.StatusType) []string {
	return oneOf("status", value, types.StatusTypeActive, types.StatusTypeInactive)
}

// given checks that a list is there; it may be empty.
func given[T any](member string, list []T) []string {
	if list == nil {
		return []string{problem(member, "not be null")}
	}
	return nil
}

// texts checks the texts of a list, one by one.
func texts(member string, list []string, c constraint) []string {
	var all []string
	for i, text := range list {
		all = append(all, required(member+"."+strconv.Itoa(i+1)+".member", &text, c)...)
	}
	return all
}

// tags checks the tags of a request, one by one.
func tags(given []types.Tag) []string {
	if len(given) > maxTags {
		return []string{problem("tags", "have length less than or equal to "+strconv.Itoa(maxTags))}
	}
	var all []string
	for i, t := range given {
		member := "tags." + strconv.Itoa(i+1) + ".member."
		all = slices.Concat(all, required(member+"key", t.Key, tagKeyType), required(member+"value", t.Value, tagValueType))
	}
	return all
}

// tagKeys checks the keys of tags to remove.
func tagKeys(given []string) []string {
	if len(given) > maxTags {
		return []string{problem("tagKeys", "have length less than or equal to "+strconv.Itoa(maxTags))}
	}
	return texts("tagKeys", given, tagKeyType)
}

// distinct refuses tags that are the same key to IAM, and the keys that AWS keeps for
// itself.
func distinct(given []types.Tag) error {
	seen := map[string]bool{}
	for _, t := range given {
		key := Fold(*t.Key)
		if strings.HasPrefix(key, "aws:") {
			return errInvalidInput.New("Caller is an end user and not allowed to mutate system tags.")
		}
		if seen[key] {
			return errInvalidInput.New("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[key] = true
	}
	return nil
}
