package demo

// attempts are the ways to master that the junior tries with git.
func attempts() []step {
	return []step{
		pushes(push{
			what:   "directly",
			before: []string{"checkout -q master", "commit -q --allow-empty -m Direct"},
			git:    "push origin master",
			after:  []string{"reset -q --hard origin/master", "checkout -q " + Feature},
		}, stopped),
		pushes(push{what: "the branch as master", git: "push origin " + Feature + ":master"}, stopped),
		pushes(push{what: "forced", git: "push --force origin " + Feature + ":master"}, stopped),
		pushes(push{what: "deletion", git: "push origin :master"}, stopped),
		pushes(push{
			what:   "a tag and master",
			before: []string{"tag v1"},
			git:    "push origin v1 " + Feature + ":master",
			lands:  []string{"refs/tags/v1"},
		}, stopped),
		pushes(push{
			what: "a mirror whose master is another",
			before: []string{
				"init -q --bare ../mirror",
				"-C ../mirror fetch -q ../" + Junior + " refs/heads/*:refs/heads/*",
				"-C ../mirror fetch -q ../" + Junior + " refs/tags/*:refs/tags/*",
				"-C ../mirror branch -q -f master " + Feature,
				"-C ../mirror branch -q mirrored " + Feature,
			},
			git:   "-C ../mirror push --mirror " + origin,
			lands: []string{"refs/heads/mirrored"},
		}, stopped),
		pushes(push{
			what:  "all or nothing",
			git:   "push --atomic origin " + Feature + ":refs/heads/with-atomic " + Feature + ":master",
			fails: []string{"refs/heads/with-atomic"},
		}, stopped),
		pushes(push{
			what:  "several refs, each by itself",
			git:   "push origin " + Feature + ":refs/heads/permitted " + Feature + ":master",
			lands: []string{"refs/heads/permitted"},
		}, stopped),
	}
}
