// Go's pdata on the requests of a file: the types that the OpenTelemetry Collector holds telemetry in.
//
// `rivals FILE traces|logs|metrics`, where the file holds records of a big-endian length of four bytes and a request.
// benchmarks/rivals drives it as it drives its like in Rust (benchmarks/rust/src/main.rs has the commands), with Go's own
// allocator and collector as they are by default. A full collection comes before each run and is not timed; the ones
// that come while it runs are, on whatever thread.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// A codec is one signal's, over data of type T.
type codec[T any] struct {
	unmarshal func([]byte) (T, error)
	marshal   func(T) ([]byte, error)
}

// An engine goes through all requests once.
type engine struct {
	name   string
	run    func()
	answer func() [][]byte
}

// kept holds the last result, so that no call can be left out.
var kept any

func enginesOf[T any](codec codec[T], requests [][]byte) []engine {
	decoded := make([]T, len(requests))
	for index, request := range requests {
		decoded[index] = must(codec.unmarshal(request))
	}
	answer := func() [][]byte {
		encoded := make([][]byte, len(decoded))
		for index, data := range decoded {
			encoded[index] = must(codec.marshal(data))
		}
		return encoded
	}
	encode := func() {
		for _, data := range decoded {
			kept = must(codec.marshal(data))
		}
	}
	decode := func() {
		for _, request := range requests {
			kept = must(codec.unmarshal(request))
		}
	}
	return []engine{{"encode pdata (Go)", encode, answer}, {"decode pdata (Go)", decode, answer}}
}

func enginesOfSignal(signal string, requests [][]byte) ([]engine, error) {
	switch signal {
	case "traces":
		return enginesOf(codec[ptrace.Traces]{
			(&ptrace.ProtoUnmarshaler{}).UnmarshalTraces, (&ptrace.ProtoMarshaler{}).MarshalTraces,
		}, requests), nil
	case "logs":
		return enginesOf(codec[plog.Logs]{
			(&plog.ProtoUnmarshaler{}).UnmarshalLogs, (&plog.ProtoMarshaler{}).MarshalLogs,
		}, requests), nil
	case "metrics":
		return enginesOf(codec[pmetric.Metrics]{
			(&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics, (&pmetric.ProtoMarshaler{}).MarshalMetrics,
		}, requests), nil
	}
	return nil, fmt.Errorf("expected traces, logs or metrics, not %q", signal)
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "rivals:", err)
		os.Exit(1)
	}
	return value
}

func records(file []byte) [][]byte {
	var found [][]byte
	for len(file) > 0 {
		end := 4 + binary.BigEndian.Uint32(file)
		found = append(found, file[4:end])
		file = file[end:]
	}
	return found
}

func write(path string, engine engine) (string, error) {
	var file []byte
	answer := engine.answer()
	for _, record := range answer {
		file = append(binary.BigEndian.AppendUint32(file, uint32(len(record))), record...)
	}
	return strconv.Itoa(len(answer)), os.WriteFile(path, file, 0o600)
}

// cpuTime is that of the process, all threads.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func run(repetitions int, engine engine) string {
	runtime.GC()
	engine.run()
	wall, cpu := time.Now(), cpuTime()
	for range repetitions {
		engine.run()
	}
	return fmt.Sprintf("%d %d", (cpuTime() - cpu).Nanoseconds(), time.Since(wall).Nanoseconds())
}

func answerTo(line string, engines []engine) (string, error) {
	words := strings.SplitN(line, " ", 3)
	if line == "engines" {
		names := make([]string, len(engines))
		for index, engine := range engines {
			names[index] = engine.name
		}
		return strings.Join(names, "\t"), nil
	}
	for _, engine := range engines {
		if len(words) == 3 && engine.name == words[2] {
			switch words[0] {
			case "write":
				return write(words[1], engine)
			case "run":
				repetitions, err := strconv.Atoi(words[1])
				return run(repetitions, engine), err
			}
		}
	}
	return "", fmt.Errorf("no such command: %s", line)
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "rivals: expected FILE traces|logs|metrics")
		os.Exit(2)
	}
	engines := must(enginesOfSignal(os.Args[2], records(must(os.ReadFile(os.Args[1])))))
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fmt.Println(must(answerTo(lines.Text(), engines)))
	}
	must(0, lines.Err())
}
