// Package demo plays the story that Refward exists for: juniors may push branches and
// open pull requests, approvers merge them, and one IAM policy decides.
//
// [Play] plays it on a host with the real git and AWS's own SDK, step by step, and
// says of each what was expected and what was seen. The story is data: chapters of
// steps (story.go, master.go, policy.go), each a small function of the stage.
package demo
