module ottla/harness

go 1.26
