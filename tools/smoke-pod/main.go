// Pod is the one program of the image that pods of the smoke test are made of: `pod pause` holds a sandbox open,
// `pod serve ADDRESS` answers every HTTP request with the pod's host name, `pod get URL` prints what an address answers,
// `pod write FILE TEXT` and `pod cat FILE` write and read a file.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	mode, argument := "pause", ""
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	if len(os.Args) > 2 {
		argument = os.Args[2]
	}
	var err error
	switch mode {
	case "serve":
		err = serve(argument)
	case "get":
		err = get(argument)
	case "cat":
		err = cat(argument)
	case "write":
		err = os.WriteFile(argument, []byte(os.Args[3]), 0o644)
	default:
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
		<-stop
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(address string) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	fmt.Println("serving as", host)
	return http.ListenAndServe(address, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, host)
	}))
}

func get(url string) error {
	client := http.Client{Timeout: 5 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(os.Stdout, answer.Body)
	return err
}

func cat(file string) error {
	content, err := os.ReadFile(file)
	if err == nil {
		_, err = os.Stdout.Write(content)
	}
	return err
}
