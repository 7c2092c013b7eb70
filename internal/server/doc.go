// Package server wires a host together and runs it: [Config] says how, [Open] builds
// every part in the order in which they need each other, [Server.Run] serves until it
// is told to stop, and [Server.Close] gives everything back.
//
// It owns what lies around the front doors: the data directory and its lock, the
// account and its root credentials, listeners, TLS, time limits, request IDs, the
// access log, metrics and health. What a request means is the front doors' business
// (packages awsapi and gitserver); nothing here decides about permission.
package server
