package authz

import (
	"strconv"
	"time"

	"github.com/refward/refward/policy"
)

// request builds what a policy sees of a check: the check's own condition keys and
// the global ones (IAM User Guide, "AWS global condition context keys"). A key that
// does not apply stays absent.
func request(c Caller, tags map[string]string, check Check, now time.Time) *policy.Request {
	req := &policy.Request{Action: check.Action, Resource: check.ResourceText()}
	ctx := &req.Context
	set := func(key, value string) {
		if value != "" {
			ctx.Set(key, value)
		}
	}
	p := c.Principal
	set("aws:PrincipalArn", p.ARN.String())
	set("aws:PrincipalAccount", p.Account)
	set("aws:PrincipalType", p.Kind.String())
	set("aws:userid", p.UserID)
	if p.Kind == User {
		set("aws:username", p.Name)
	}
	if p.Session.Temporary() { // of long-term credentials both are absent
		set("aws:TokenIssueTime", p.Session.Issued.UTC().Format(time.RFC3339))
		set("aws:MultiFactorAuthPresent", "false") // the host knows no devices
	}
	for k, v := range tags {
		ctx.Set("aws:PrincipalTag/"+k, v)
	}
	if c.SourceIP.IsValid() {
		set("aws:SourceIp", c.SourceIP.Unmap().WithZone("").String())
	}
	set("aws:UserAgent", c.UserAgent)
	set("aws:SecureTransport", strconv.FormatBool(c.Secure))
	set("aws:RequestedRegion", c.Region)
	set("aws:ResourceAccount", check.Resource.Account)
	set("aws:CurrentTime", now.UTC().Format(time.RFC3339))
	set("aws:EpochTime", strconv.FormatInt(now.Unix(), 10))
	set("aws:ViaAWSService", "false")
	set("aws:PrincipalIsAWSService", "false")
	for _, v := range check.Values {
		ctx.Set(v.Key, v.Values...)
	}
	return req
}
