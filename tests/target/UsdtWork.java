// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
// A Java program with work for each kind of hotspot probe; obeys lines as the other targets do.
import java.util.Scanner;

class UsdtWork {
	static final int THREADS = 5, SLEEPS = 3, COLLECTIONS = 2;
	static long sum;

	static synchronized void add(long value) {
		sum += value;
	}

	static void threads() throws InterruptedException {
		for (int i = 0; i < THREADS; i++) {
			int value = i;
			Thread thread = new Thread(() -> add(value), "work " + i);

			thread.start();
			thread.join();
		}
	}

	static void sleeps() throws InterruptedException {
		for (int i = 0; i < SLEEPS; i++)
			Thread.sleep(1);
	}

	static void collections() {
		for (int i = 0; i < COLLECTIONS; i++)
			System.gc();
	}

	static void allocations() {
		StringBuilder[] kept = new StringBuilder[1000];

		for (int i = 0; i < kept.length; i++)
			kept[i] = new StringBuilder("number ").append(i);
		add(kept[kept.length - 1].length());
	}

	public static void main(String[] arguments) throws InterruptedException {
		Scanner lines = new Scanner(System.in);

		System.out.println("ready " + ProcessHandle.current().pid());
		while (lines.hasNextLine()) {
			lines.nextLine();
			threads();
			sleeps();
			collections();
			allocations();
			System.out.println("sum " + sum);
		}
	}
}
