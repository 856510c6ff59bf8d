// Command app is the program in the images of the engine tests. Its environment,
// which an image sets, says how it behaves:
//
//	APP_VERSION        what GET / on APP_ADDR answers
//	APP_ADDR           address to listen on, if not empty
//	APP_EXIT_AFTER     ends with status 3 after this duration
//	APP_HEALTHY_AFTER  the health check fails until then
//	APP_STOP_AFTER     ends this duration after it is asked to
//	APP_SICK           if not empty, the health check always fails
//
// "app health" is the health check. The program has no net/http, which takes half of the
// time to start.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// calm is how long a health check takes after the first that succeeded. A test waits for the
// first alone, and each takes more of the CPU than the program otherwise does.
const calm = time.Minute

// socket answers the health check. It is in the file system of the container, so
// that containers on the host's network do not share it.
const socket = "/app.sock"

func main() {
	if len(os.Args) > 1 && os.Args[1] == "health" {
		if err := health(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	if err := serve(); err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
}

func health() error {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if answer, err := io.ReadAll(conn); err != nil || string(answer) != "healthy" {
		return fmt.Errorf("not healthy: %q, %v", answer, err)
	}
	return nil
}

func serve() error {
	fmt.Println("version", os.Getenv("APP_VERSION"), "starts")
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	errs := make(chan error, 3)
	if text := os.Getenv("APP_EXIT_AFTER"); text != "" {
		after, err := time.ParseDuration(text)
		if err != nil {
			return err
		}
		if after == 0 {
			return fmt.Errorf("ends at once, with the arguments %q", os.Args[1:])
		}
		time.AfterFunc(after, func() { errs <- fmt.Errorf("ends after %v", after) })
	}
	if addr := os.Getenv("APP_ADDR"); addr != "" {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		go func() { errs <- answerVersion(l) }()
	}
	go func() { errs <- answerHealth() }()
	select {
	case err := <-errs:
		return err
	case <-ended:
		if text := os.Getenv("APP_STOP_AFTER"); text != "" {
			after, err := time.ParseDuration(text)
			if err != nil {
				return err
			}
			<-time.After(after)
		}
		return nil
	}
}

// answerVersion answers every HTTP request, one after the other, and closes its connection.
func answerVersion(l net.Listener) error {
	version := os.Getenv("APP_VERSION")
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		_ = conn.SetDeadline(time.Now().Add(time.Second)) // for a caller that asks nothing
		for request := bufio.NewScanner(conn); request.Scan() && request.Text() != ""; {
		}
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(version), version)
		_ = conn.Close()
	}
}

func answerHealth() error {
	_ = os.Remove(socket) // of an earlier start
	l, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	start, after := time.Now(), time.Duration(0)
	if text := os.Getenv("APP_HEALTHY_AFTER"); text != "" {
		if after, err = time.ParseDuration(text); err != nil {
			return err
		}
	}
	for checked := false; ; {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		answer, wait := "healthy", time.Duration(0)
		switch {
		case os.Getenv("APP_SICK") != "" || time.Since(start) < after:
			answer = "sick"
		case checked:
			wait = calm
		default:
			checked = true
		}
		time.AfterFunc(wait, func() {
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		})
	}
}
