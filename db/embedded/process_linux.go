package embedded

import (
	"bytes"
	"fmt"
	"os"
	"slices"
)

// serves tells whether the process is the server of the data directory. It looks
// at the command line, not at the working directory: in a container root may not
// see that of another account's process.
func serves(pid int, data string) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return false
	}
	args := bytes.Split(line, []byte{0})
	isData := func(arg []byte) bool { return string(arg) == data }
	return slices.ContainsFunc(args, isData)
}
