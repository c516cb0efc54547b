// SPDX-License-Identifier: MIT
// A small shop that sells fruit for ever: what `make demo` looks into.
package com.shop;

import java.util.ArrayList;
import java.util.List;

// Three kinds of cart meet at each call, so the JIT cannot inline them into the till.
abstract class Cart {
	final String customer;
	final List<String> items = new ArrayList<>();
	double total;

	Cart(String customer) {
		this.customer = customer;
	}

	abstract boolean add(int quantity, String item, double price);

	abstract long checkout(long order, boolean express);
}

final class RetailCart extends Cart {
	RetailCart(String customer) {
		super(customer);
	}

	@Override
	boolean add(int quantity, String item, double price) {
		items.add(item);
		total += quantity * price;
		return items.size() < 100;
	}

	@Override
	long checkout(long order, boolean express) {
		long cents = Math.round(total * 100) + (express ? 499 : 0);
		items.clear();
		total = 0;
		return cents;
	}
}

final class GiftCart extends Cart {
	GiftCart(String customer) {
		super(customer);
	}

	@Override
	boolean add(int quantity, String item, double price) {
		items.add("gift: " + item);
		return items.size() < 10;
	}

	@Override
	long checkout(long order, boolean express) {
		items.clear();
		return 0;
	}
}

final class BulkCart extends Cart {
	BulkCart(String customer) {
		super(customer);
	}

	@Override
	boolean add(int quantity, String item, double price) {
		for (int i = 0; i < 12; i++)
			items.add(item);
		total += 12 * quantity * price * 0.9;
		return true;
	}

	@Override
	long checkout(long order, boolean express) {
		long cents = Math.round(total * 100);
		items.clear();
		total = 0;
		return cents;
	}
}

public final class Shop {
	private static final String[] FRUIT = {"apple", "pear", "Äpfel", "柿", "grape \ud83c\udf47"};
	private static final int WARM = 60_000;

	private static long sell(Cart cart, long order) {
		for (int i = 0; i < 3; i++) {
			int pick = (int) ((order * 7 + i * 3) % FRUIT.length);
			cart.add(i + 1, FRUIT[pick], 0.25 * (pick + 1));
		}
		return cart.checkout(order, order % 10 == 0);
	}

	private static void till(String customer, long first) {
		Cart[] carts = {new RetailCart(customer), new GiftCart(customer), new BulkCart(customer)};
		long revenue = 0;

		for (long order = first;; order++) {
			revenue += sell(carts[(int) (order % carts.length)], order);
			if (order - first == WARM)
				System.out.println("warm " + revenue);
			// Fast until the JIT has compiled everything, then at a pace a person can read.
			if (order - first >= WARM) {
				try {
					Thread.sleep(150);
				} catch (InterruptedException e) {
					return;
				}
			}
		}
	}

	public static void main(String[] args) {
		new Thread(() -> till("Ada", 1_000_000), "till-1").start();
		new Thread(() -> till("Grace", 2_000_000), "till-2").start();
	}
}
