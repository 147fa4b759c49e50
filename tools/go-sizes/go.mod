module modules

go 1.21
