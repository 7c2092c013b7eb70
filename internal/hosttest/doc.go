// Package hosttest gives a test a whole host: in the test's own process ([Start]), or as
// a process that can be killed ([StartProcess]), each on a data directory and ports of
// its own. The people of package person use it with the real git and AWS's SDK.
//
// What a machine lacks skips a test with a sentence; REFWARD_TEST_REQUIRE=git,aws turns
// each such skip into a failure ([Need]).
package hosttest
