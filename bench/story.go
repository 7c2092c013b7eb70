package main

// keys are the condition keys of a request as the host makes it; the ref comes on top.
var keys = [...][2]string{
	{"aws:PrincipalArn", "arn:aws:iam::111122223333:user/juniordev"},
	{"aws:PrincipalAccount", "111122223333"},
	{"aws:PrincipalType", "User"},
	{"aws:userid", "AIDAEXAMPLEEXAMPLEEXA"},
	{"aws:username", "juniordev"},
	{"aws:SourceIp", "203.0.113.7"},
	{"aws:UserAgent", "git/2.39.5"},
	{"aws:SecureTransport", "true"},
	{"aws:RequestedRegion", "us-east-1"},
	{"aws:ResourceAccount", "111122223333"},
	{"aws:CurrentTime", "2026-01-15T10:30:00Z"},
	{"aws:EpochTime", "1768473000"},
	{"aws:ViaAWSService", "false"},
	{"aws:PrincipalIsAWSService", "false"},
}
