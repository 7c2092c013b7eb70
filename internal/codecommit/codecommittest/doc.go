// Package codecommittest is the suite that every [codecommit.Store] must pass.
package codecommittest
