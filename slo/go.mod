module github.com/faultline-lab/faultline/slo

go 1.26.0
