package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"time"
)

const patience = 10 * time.Second

// way is how a host is reached: bare and tls begin with TLS at once, connect asks a proxy first.
type way struct {
	kind, address, name string
}

// greeting is a first message of TLS with a server name, as Go's own TLS sends it.
func greeting(name string) []byte {
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() {
		_ = tls.Client(theirs, &tls.Config{ServerName: name, InsecureSkipVerify: true}).Handshake()
	}()
	buffer := make([]byte, 64*1024)
	size, err := ours.Read(buffer)
	if err != nil {
		fail(err)
	}
	return buffer[:size]
}

// open reaches the host and has said hello to it.
func (w way) open(hello []byte) (net.Conn, error) {
	connection, err := net.DialTimeout("tcp", w.address, patience)
	if err != nil {
		return nil, err
	}
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if w.kind == "connect" {
		if err := w.ask(connection); err != nil {
			connection.Close()
			return nil, err
		}
	}
	if _, err := connection.Write(hello); err != nil {
		connection.Close()
		return nil, err
	}
	return connection, nil
}

func (w way) ask(connection net.Conn) error {
	if _, err := fmt.Fprintf(connection, "CONNECT %[1]s:443 HTTP/1.1\r\nHost: %[1]s:443\r\n\r\n", w.name); err != nil {
		return err
	}
	buffer := make([]byte, 4096)
	read := 0
	for !bytes.Contains(buffer[:read], []byte("\r\n\r\n")) {
		size, err := connection.Read(buffer[read:])
		if err != nil {
			return err
		}
		read += size
	}
	if !bytes.HasPrefix(buffer[:read], []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("%s", bytes.SplitN(buffer[:read], []byte("\r\n"), 2)[0])
	}
	return nil
}
