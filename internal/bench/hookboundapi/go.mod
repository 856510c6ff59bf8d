module github.com/kzelealem/hookbound

go 1.26.0
