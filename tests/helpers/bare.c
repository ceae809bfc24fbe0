/*
 * A program without libc: its first system call is its own. It tries pause, then exit_group(0), and if both are refused
 * it traps, so that the parent sees SIGTRAP: the program was started, and could do nothing.
 */
#if defined(__x86_64__)
#define CALL(number, a) \
	__asm__ volatile("syscall" : : "a"((long)(number)), "D"((long)(a)) : "rcx", "r11", "memory")
#define PAUSE      34
#define EXIT_GROUP 231
#define TRAP()     __asm__ volatile("int3")
#elif defined(__aarch64__)
#define CALL(number, a)                                                    \
	do {                                                               \
		register long x8 __asm__("x8") = (number);                 \
		register long x0 __asm__("x0") = (a);                      \
		__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8) : "memory"); \
	} while (0)
#define PAUSE      73 /* ppoll without anything to wait for */
#define EXIT_GROUP 94
#define TRAP()     __asm__ volatile("brk 0")
#endif

void _start(void);

__attribute__((noreturn)) void _start(void)
{
	CALL(PAUSE, 0);
	CALL(EXIT_GROUP, 0);
	for (;;)
		TRAP();
}
