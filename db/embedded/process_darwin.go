package embedded

import (
	"os/exec"
	"strconv"
	"strings"
)

// serves tells whether the process is the server of the data directory.
func serves(pid int, data string) bool {
	line, err := exec.Command("/bin/ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(line), " -D "+data+" ")
}
