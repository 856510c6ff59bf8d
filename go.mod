module github.com/hookhouse/hookhouse

go 1.26
