package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
)

// piece is how much is sent at once, in bytes.
const piece = 4 << 20

// host is what is reached. By the beginning of the server name it sends much (bulk), one byte (byte)
// or whatever comes (echo).
func host(arguments []string) (any, error) {
	var size int64
	found, err := parsed("host", arguments, func(flags *flag.FlagSet) {
		flags.Int64Var(&size, "bytes", 1<<30, "how much much is")
	})
	if err != nil {
		return nil, err
	}
	zeros, err := nameless(make([]byte, piece))
	if err != nil {
		return nil, err
	}
	defer zeros.Close()
	listener, err := net.Listen("tcp", found.way.address)
	if err != nil {
		return nil, err
	}
	fmt.Println(`{"listens": true}`)
	for {
		connection, err := listener.Accept()
		if err != nil {
			return nil, err
		}
		go serve(connection, zeros, size)
	}
}

// nameless is a file that goes when the program does, however that ends.
func nameless(content []byte) (*os.File, error) {
	file, err := os.CreateTemp("", "bulk")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if _, err := file.Write(content); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func serve(connection net.Conn, zeros *os.File, size int64) {
	defer connection.Close()
	hello := make([]byte, 16*1024)
	read, err := connection.Read(hello)
	if err != nil {
		return
	}
	switch hello = hello[:read]; {
	case bytes.Contains(hello, []byte("bulk.")):
		send(connection, zeros, size)
	case bytes.Contains(hello, []byte("echo.")):
		_, _ = connection.Write([]byte{1})
		_, _ = io.Copy(connection, connection)
	default:
		_, _ = connection.Write([]byte{1})
		_, _ = io.Copy(io.Discard, connection)
	}
}

// send sends zeros from a file, by the kernel. Every connection is at a place of its own in it.
func send(connection net.Conn, zeros *os.File, size int64) {
	file, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", zeros.Fd()))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer file.Close()
	for sent := int64(0); sent < size; sent += piece {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return
		}
		if _, err := io.CopyN(connection, file, min(piece, size-sent)); err != nil {
			return
		}
	}
}
