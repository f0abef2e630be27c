package main

import (
	"flag"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type transferred struct {
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

// transfer reads all that a host sends. It throws it away in the kernel: what is measured is between
// it and the host.
func transfer(arguments []string) (any, error) {
	found, err := parsed("transfer", arguments, nil)
	if err != nil {
		return nil, err
	}
	connection, err := found.way.open(greeting(found.way.name))
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(5 * time.Minute)); err != nil {
		return nil, err
	}
	begun, result := time.Now(), transferred{}
	raw, err := connection.(*net.TCPConn).SyscallConn()
	if err != nil {
		return nil, err
	}
	buffer := make([]byte, 1<<20)
	for {
		var size int
		var failed error
		err := raw.Read(func(socket uintptr) bool {
			size, _, failed = syscall.Recvfrom(int(socket), buffer, syscall.MSG_TRUNC)
			return failed != syscall.EAGAIN
		})
		if err != nil {
			return nil, err
		}
		if failed != nil && failed != syscall.EINTR {
			return nil, failed
		}
		if failed == nil && size == 0 {
			break
		}
		result.Bytes += int64(max(size, 0))
	}
	result.Seconds = time.Since(begun).Seconds()
	return result, nil
}

type connected struct {
	Count     int     `json:"count"`
	PerSecond float64 `json:"per_second"`
	Failed    int64   `json:"failed"`
	First     string  `json:"first_failure,omitempty"`
	Median    float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
}

// connect opens one tunnel after the other, up to the first byte, and closes it.
func connect(arguments []string) (any, error) {
	found, err := parsed("connect", arguments, nil)
	if err != nil {
		return nil, err
	}
	hello := greeting(found.way.name)
	end := time.Now().Add(time.Duration(*found.seconds * float64(time.Second)))
	var lock sync.Mutex
	var all []time.Duration
	result := connected{}
	var workers sync.WaitGroup
	begun := time.Now()
	for range *found.workers {
		workers.Go(func() {
			var own []time.Duration
			for started := time.Now(); len(own) == 0 || started.Before(end); started = time.Now() {
				if err := once(found.way, hello); err != nil {
					lock.Lock()
					result.Failed++
					result.First = err.Error()
					lock.Unlock()
					if started.After(end) {
						break
					}
					continue
				}
				own = append(own, time.Since(started))
			}
			lock.Lock()
			all = append(all, own...)
			lock.Unlock()
		})
	}
	workers.Wait()
	result.Count = len(all)
	result.PerSecond = float64(len(all)) / time.Since(begun).Seconds()
	result.Median, result.P99 = milliseconds(all, 0.5), milliseconds(all, 0.99)
	return result, nil
}

func once(way way, hello []byte) error {
	connection, err := way.open(hello)
	if err != nil {
		return err
	}
	defer connection.Close()
	_, err = connection.Read(make([]byte, 1))
	return err
}

type held struct {
	Opened  int64   `json:"opened"`
	Dropped int64   `json:"dropped"`
	First   string  `json:"first_failure,omitempty"`
	Echoes  int     `json:"echoes"`
	P99     float64 `json:"p99_ms"`
}

// hold keeps tunnels open and says something by each of them once a second. It prints a line as soon
// as all are open.
func hold(arguments []string) (any, error) {
	var count int
	found, err := parsed("hold", arguments, func(flags *flag.FlagSet) {
		flags.IntVar(&count, "count", 1000, "tunnels")
	})
	if err != nil {
		return nil, err
	}
	hello := greeting(found.way.name)
	var opened, dropped atomic.Int64
	var lock sync.Mutex
	var all []time.Duration
	result := held{}
	turns := make(chan struct{}, *found.workers)
	var ready, workers sync.WaitGroup
	start := make(chan struct{})
	for number := range count {
		ready.Add(1)
		workers.Go(func() {
			turns <- struct{}{}
			own, err := keep(found.way, hello, number, *found.seconds, func(good bool) {
				if good {
					opened.Add(1)
				}
				<-turns
				ready.Done()
				<-start
			})
			lock.Lock()
			defer lock.Unlock()
			all = append(all, own...)
			if err != nil {
				dropped.Add(1)
				result.First = err.Error()
			}
		})
	}
	ready.Wait()
	tell(map[string]int64{"opened": opened.Load()})
	close(start)
	workers.Wait()
	result.Opened, result.Dropped, result.Echoes = opened.Load(), dropped.Load(), len(all)
	result.P99 = milliseconds(all, 0.99)
	return result, nil
}

func keep(way way, hello []byte, number int, seconds float64, opened func(bool)) ([]time.Duration, error) {
	connection, err := way.open(hello)
	if err == nil {
		_, err = io.ReadFull(connection, make([]byte, 1))
	}
	opened(err == nil)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	var own []time.Duration
	buffer := make([]byte, 8)
	time.Sleep(time.Duration(number%1000) * time.Millisecond)
	for end := time.Now().Add(time.Duration(seconds * float64(time.Second))); time.Now().Before(end); {
		started := time.Now()
		if err := connection.SetDeadline(started.Add(patience)); err != nil {
			return own, err
		}
		if _, err := connection.Write(buffer); err != nil {
			return own, err
		}
		if _, err := io.ReadFull(connection, buffer); err != nil {
			return own, err
		}
		own = append(own, time.Since(started))
		time.Sleep(time.Second)
	}
	return own, nil
}
