# What a person types. Each target prints what it runs, so that a part can be run by hand;
# without make, "go run ./cmd/refward demo" is the first command and "scripts/test.sh" the second.

.PHONY: demo build test lint generate bench fuzz conformance git-tests soak

demo:
	go run ./cmd/refward demo

build:
	CGO_ENABLED=0 go build -trimpath -o bin/refward ./cmd/refward

test:
	scripts/test.sh

lint:
	scripts/lint.sh

generate:
	go generate ./...

bench:
	go test -run '^$$' -bench . -benchmem ./...

fuzz:
	scripts/fuzz.sh

conformance:
	scripts/conformance.sh

git-tests:
	scripts/git-tests.sh

soak:
	scripts/soak.sh
