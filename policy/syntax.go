package policy

import (
	"fmt"
	"strconv"
	"strings"
)

// SyntaxError is what [Parse] answers: AWS's message for MalformedPolicyDocument,
// and where.
type SyntaxError struct {
	Message string // AWS's text, e.g. "Syntax errors in policy."
	Detail  string // what exactly, for people
	Line    int    // 1-based
	Column  int    // 1-based, in bytes
	Pointer string // JSON pointer (RFC 6901) to the value; "" is the whole document
}

// Error returns AWS's message, then what is wrong and where.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s (line %d, column %d: %s)", e.Message, e.Line, e.Column, e.Detail)
}

// AWS's texts for MalformedPolicyDocument. Clients compare them.
const (
	msgSyntax         = "Syntax errors in policy."
	msgTrustJSON      = "This policy contains invalid Json"
	msgVersion        = "Policy document must be version 2012-10-17 or greater."
	msgLegacy         = "The policy failed legacy parsing"
	msgSidUnique      = "Statement IDs (SID) in a single policy must be unique."
	msgSidText        = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
	msgNoActions      = "Policy statement must contain actions."
	msgNoResources    = "Policy statement must contain resources."
	msgNoVendor       = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	msgColons         = "Actions/Condition can contain only one colon."
	msgVendor         = "Vendor %s is not valid"
	msgNotARN         = `Resource %s must be in ARN format or "*".`
	msgPartition      = `Partition "%s" is not valid for resource "%s".`
	msgResourceVendor = "Resource vendor must be fully qualified and cannot contain regexes."
	msgIAMRegion      = "IAM resource %s cannot contain region information."
	msgIAMType        = `IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.`
	msgPrincipal      = "Policy document should not specify a principal."
	msgProhibited     = "Has prohibited field %s"
	msgNotPrincipal   = "AssumeRole policy must not contain NotPrincipal field."
	msgNoPrincipal    = "Missing required field Principal"
	msgTrustNotSTS    = "AssumeRole policy may only specify STS AssumeRole actions."
	msgTrustPrincipal = `Invalid principal in policy: "%s":"%s"`
)

// Position is a place in a document's text.
type Position struct {
	Line   int `json:"line"`   // 1-based
	Column int `json:"column"` // 1-based, in bytes
}

// String returns line:column.
func (p Position) String() string { return strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column) }

// positionAt finds the line and column of a byte offset.
func positionAt(text string, off int) Position {
	c := cursor{text: text}
	return c.at(off)
}

// cursor finds positions. It is quick when it is asked from the front of the text to
// its end.
type cursor struct {
	text      string
	off       int // what follows was counted up to here
	lines     int // line feeds
	lineStart int
	steps     int // bytes that were looked at, to show that they are few
}

func (c *cursor) at(off int) Position {
	off = min(off, len(c.text))
	if off < c.off {
		*c = cursor{text: c.text, steps: c.steps}
	}
	part := c.text[c.off:off]
	c.steps += len(part)
	if i := strings.LastIndexByte(part, '\n'); i >= 0 {
		c.lines += strings.Count(part, "\n")
		c.lineStart = c.off + i + 1
	}
	c.off = off
	return Position{1 + c.lines, 1 + off - c.lineStart}
}

// fail makes the error for a value of the document.
func (t *tree) fail(at *node, message, detail string, args ...any) *SyntaxError {
	pos := positionAt(t.text, at.start)
	return &SyntaxError{
		Message: message,
		Detail:  fmt.Sprintf(detail, args...),
		Line:    pos.Line,
		Column:  pos.Column,
		Pointer: t.root.pointerTo(at),
	}
}
