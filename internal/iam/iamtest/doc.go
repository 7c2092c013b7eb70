// Package iamtest is the suite that every [iam.Store] must pass.
package iamtest
