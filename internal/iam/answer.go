package iam

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/refward/refward/internal/authz"
)

// Rows as the API shows them.

func (s *Service) shownUser(u User) types.User {
	return types.User{
		Arn: new(s.userARN(u.Path, u.Name).String()), CreateDate: &u.Created,
		Path: &u.Path, UserId: &u.ID, UserName: &u.Name,
	}
}

func (s *Service) shownGroup(g Group) types.Group {
	return types.Group{
		Arn: new(s.groupARN(g.Path, g.Name).String()), CreateDate: &g.Created,
		Path: &g.Path, GroupId: &g.ID, GroupName: &g.Name,
	}
}

func shownTags(tags []Tag) []types.Tag {
	var all []types.Tag
	for _, t := range tags {
		all = append(all, types.Tag{Key: &t.Key, Value: &t.Value})
	}
	return all
}

func shownStatus(active bool) types.StatusType {
	if active {
		return types.StatusTypeActive
	}
	return types.StatusTypeInactive
}

// each applies show to every row.
func each[Row, Shown any](rows []Row, show func(Row) Shown) []Shown {
	all := make([]Shown, 0, len(rows))
	for _, r := range rows {
		all = append(all, show(r))
	}
	return all
}

// textOr returns the text that p points to, or what stands for none.
func textOr(p *string, none string) string {
	if p == nil {
		return none
	}
	return *p
}

// encoded is a policy document as responses carry it: percent-encoded as in RFC 3986.
func encoded(document string) *string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(document) {
		c := document[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return new(b.String())
}

// requestTags are the condition keys of an operation that is given tags.
func requestTags(given []types.Tag) []authz.Value {
	if len(given) == 0 {
		return nil
	}
	var keys []string
	var values []authz.Value
	for _, t := range given {
		keys = append(keys, *t.Key)
		values = append(values, authz.Value{Key: "aws:RequestTag/" + *t.Key, Values: []string{*t.Value}})
	}
	return append(values, authz.Value{Key: "aws:TagKeys", Values: keys})
}
