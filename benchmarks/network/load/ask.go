package main

import (
	"encoding/binary"
	"flag"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

const lateAfter = time.Second

type asked struct {
	Answers   int     `json:"answers"`
	PerSecond float64 `json:"per_second"`
	Wrong     int     `json:"wrong"`
	Lost      int     `json:"lost"`
}

// tenants is whom a resolver is asked as: ports that are `step` apart, and a name for each.
type tenants struct {
	host               string
	first, step, count int
	name               string
}

// ask asks a resolver for names of many tenants, each at its port, with so many questions under way.
func ask(arguments []string) (any, error) {
	var as tenants
	var window int
	found, err := parsed("ask", arguments, func(flags *flag.FlagSet) {
		flags.IntVar(&as.first, "first", 0, "first tenant's port")
		flags.IntVar(&as.step, "step", 1, "between ports")
		flags.IntVar(&as.count, "count", 1, "tenants")
		flags.IntVar(&window, "window", 32, "questions under way, of each worker")
	})
	if err != nil {
		return nil, err
	}
	as.host, as.name = found.way.address, found.way.name
	var lock sync.Mutex
	var workers sync.WaitGroup
	result := asked{}
	begun := time.Now()
	end := begun.Add(time.Duration(*found.seconds * float64(time.Second)))
	for worker := range *found.workers {
		workers.Go(func() {
			own, workerError := as.ask(worker, window, end)
			lock.Lock()
			defer lock.Unlock()
			result.Answers += own.Answers
			result.Wrong += own.Wrong
			result.Lost += own.Lost
			if workerError != nil {
				err = workerError
			}
		})
	}
	workers.Wait()
	result.PerSecond = float64(result.Answers) / time.Since(begun).Seconds()
	return result, err
}

func (t tenants) ask(worker, window int, end time.Time) (asked, error) {
	result := asked{}
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(t.host)})
	if err != nil {
		return result, err
	}
	defer socket.Close()
	next, underWay := worker*7919, 0
	send := func() error {
		tenant := next % t.count
		next++
		to := &net.UDPAddr{IP: net.ParseIP(t.host), Port: t.first + t.step*tenant}
		underWay++
		_, err := socket.WriteToUDP(question(uint16(next), fmt.Sprintf(t.name, tenant+1)), to)
		return err
	}
	buffer := make([]byte, 2048)
	for time.Now().Before(end) {
		for underWay < window {
			if err := send(); err != nil {
				return result, err
			}
		}
		if err := socket.SetReadDeadline(time.Now().Add(lateAfter)); err != nil {
			return result, err
		}
		size, _, err := socket.ReadFromUDP(buffer)
		if err != nil {
			result.Lost += underWay
			underWay = 0
			continue
		}
		underWay--
		if size > 12 && buffer[3]&15 == 0 && binary.BigEndian.Uint16(buffer[6:]) == 1 {
			result.Answers++
		} else {
			result.Wrong++
		}
	}
	return result, nil
}

// question is for an A record.
func question(id uint16, name string) []byte {
	message := binary.BigEndian.AppendUint16(nil, id)
	message = append(message, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	for label := range strings.SplitSeq(name, ".") {
		message = append(message, byte(len(label)))
		message = append(message, label...)
	}
	return append(message, 0, 0, 1, 0, 1)
}
