package policy

// The generators of the property tests, for tests from outside.
var (
	DrawSituation   = drawSituation
	DrawRequest     = drawRequest
	DescribeRequest = describe
)
