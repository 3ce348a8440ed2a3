/* Tests of lines-sink by the harness, from C++: what is written and not committed is gone after a crash, what is
 * committed is known, and committing twice is committing once. */
#undef NDEBUG
#include <cassert>
#include <cstdlib>
#include <memory>
#include <string>
#include <sf/harness.h>

using Test = std::unique_ptr<Harness, decltype(&harness_free)>;

int main()
{
    char path[] = "/tmp/lines-sink-XXXXXX";
    assert(mkdtemp(path));
    const char *rows[] = {"[1]", "[2]", "[3]"};
    Test h(harness_new("lines-sink", (std::string("path: ") + path).c_str()), harness_free);
    harness_input_text(h.get(), "lines", "number bigint");
    harness_write(h.get(), 0, harness_rows(h.get(), 0, "file/0", 0, rows, 2));
    harness_commit(h.get(), SF_COMMIT_END);
    harness_commit(h.get(), SF_COMMIT_END);
    harness_write(h.get(), 0, harness_rows(h.get(), 0, "file/0", 2, rows + 2, 1));
    harness_reopen(h.get()); // as after a crash
    assert(harness_recover(h.get(), 0, "file/0") == 2);
    assert(std::system((std::string("rm -r ") + path).c_str()) == 0);
    return 0;
}
