// Package conformance holds a host to what Git's own client expects of a server. Its
// tests start one whole host and run the real git against every door (HTTP and SSH, each
// with protocol versions 0, 1 and 2), one test for each thing that a client can ask for.
//
//	go test -v ./internal/conformance
//
// prints them as TestFetch/ITEM/DOOR and TestPush/ITEM/DOOR.
package conformance
