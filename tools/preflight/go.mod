module preflight

go 1.16
